import { Badge, Button, Group, Skeleton, Stack, Text, Title } from '@mantine/core';
import { IconCheck, IconMinus, IconPin } from '@tabler/icons-react';
import { useQuery } from '@tanstack/react-query';
import { Suspense, useState } from 'react';
import { LoadProblem } from '@/components/problem';
import { TextLink } from '@/components/text-link';
import { useOrg } from '@/features/tenancy/queries';
import { lazyPart } from '@/lib/lazy-part';
import { useSegmentsLive } from './live';
import type { Membership } from './model';
import { contactSegmentsQuery } from './queries';
import classes from './segments.module.css';

const ExplainDrawer = lazyPart(async () => (await import('./explain-drawer')).ExplainDrawer);

interface ContactSegmentsProps {
  orgId: string;
  contactId: string;
}

/** Which segments a contact is in, and why or why not. */
export function ContactSegments({ orgId, contactId }: ContactSegmentsProps) {
  return (
    <section className={classes.card} aria-labelledby="contact-segments-title">
      <Title order={3} fz="md" id="contact-segments-title" mb={8}>
        Segments
      </Title>
      <Memberships orgId={orgId} contactId={contactId} />
    </section>
  );
}

function Memberships({ orgId, contactId }: ContactSegmentsProps) {
  const { can } = useOrg();
  useSegmentsLive(orgId);
  const segments = useQuery(contactSegmentsQuery(orgId, contactId));
  const [asked, setAsked] = useState<string>();
  if (segments.isPending) {
    return (
      <Stack gap="xs" role="status" aria-label="Loading">
        <Skeleton height={36} />
        <Skeleton height={36} />
      </Stack>
    );
  }
  if (segments.isError)
    return <LoadProblem error={segments.error} what="the segments" onRetry={() => void segments.refetch()} />;
  if (segments.data.length === 0)
    return (
      <Text c="dimmed">
        There are no segments yet.{' '}
        {can('campaigns.manage') && <TextLink to="/segments/new">Make the first one</TextLink>}
      </Text>
    );
  const inside = segments.data.filter((each) => each.is_member);
  const outside = segments.data.filter((each) => !each.is_member);
  return (
    <Stack gap="md">
      <List title="In" segments={inside} empty="In no segment." onAsk={setAsked} />
      {outside.length > 0 && <List title="Not in" segments={outside} onAsk={setAsked} />}
      <Suspense fallback={null}>
        {asked && (
          <ExplainDrawer
            orgId={orgId}
            segmentId={asked}
            contactId={contactId}
            onClose={() => setAsked(undefined)}
          />
        )}
      </Suspense>
    </Stack>
  );
}

interface ListProps {
  title: string;
  segments: Membership[];
  empty?: string;
  onAsk: (id: string) => void;
}

function List({ title, segments, empty, onAsk }: ListProps) {
  return (
    <div>
      <Text size="sm" c="dimmed" mb={4}>
        {title}
      </Text>
      {segments.length === 0 && <Text>{empty}</Text>}
      <Stack gap={0} component="ul" m={0} p={0} style={{ listStyle: 'none' }} aria-label={title}>
        {segments.map((segment) => (
          <Group key={segment.id} component="li" gap="xs" wrap="nowrap" mih={44}>
            {segment.is_member ? (
              <IconCheck size={16} color="var(--op-success)" aria-hidden style={{ flex: 'none' }} />
            ) : (
              <IconMinus size={16} color="var(--op-muted)" aria-hidden style={{ flex: 'none' }} />
            )}
            <TextLink
              to="/segments/$segmentId"
              params={{ segmentId: segment.id }}
              truncate
              className={classes.tapped}
              title={segment.name}
              style={{ flex: 1, minWidth: 0, display: 'block' }}
            >
              {segment.name}
            </TextLink>
            {segment.pin && segment.kind === 'dynamic' && (
              <Badge variant="light" color="gray" leftSection={<IconPin size={12} aria-hidden />}>
                {segment.pin === 'include' ? 'Added by hand' : 'Left out by hand'}
              </Badge>
            )}
            <Button
              size="xs"
              variant="subtle"
              onClick={() => onAsk(segment.id)}
              aria-label={
                segment.is_member ? `Why is this contact in ${segment.name}?` : `Why not in ${segment.name}?`
              }
            >
              {segment.is_member ? 'Why?' : 'Why not?'}
            </Button>
          </Group>
        ))}
      </Stack>
    </div>
  );
}
