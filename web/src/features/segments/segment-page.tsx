import { ActionIcon, Button, Group, Skeleton, Stack, Text, Title } from '@mantine/core';
import { IconDotsVertical, IconEdit, IconFileExport, IconSpeakerphone } from '@tabler/icons-react';
import { useQuery } from '@tanstack/react-query';
import { getRouteApi, useNavigate } from '@tanstack/react-router';
import { Suspense, useState } from 'react';
import { LateMenu } from '@/components/late-menu';
import { LoadProblem } from '@/components/problem';
import { TextLink } from '@/components/text-link';
import { useOrg } from '@/features/tenancy/queries';
import { useNow } from '@/lib/clock';
import { lazyPart } from '@/lib/lazy-part';
import { usePolling } from '@/lib/realtime';
import { exactTime, plural, relativeAge } from '@/lib/time';
import { useExportMembers } from './export-members';
import { useSegmentsLive } from './live';
import { MembersTable } from './members-table';
import type { Segment } from './model';
import { PersonFinder } from './person-finder';
import { AddToList, Pins } from './pins';
import { rulesOf, segmentQuery, sentenceQuery, usageQuery } from './queries';
import { RulesTree } from './rules-tree';
import classes from './segments.module.css';
import { KindBadge } from './segments-table';

const route = getRouteApi('/_app/segments/$segmentId');
const SegmentActions = lazyPart(async () => (await import('./segment-actions')).SegmentActions);
const ExplainDrawer = lazyPart(async () => (await import('./explain-drawer')).ExplainDrawer);

const DeleteSegment = lazyPart(async () => (await import('./delete-segment')).DeleteSegment);

export function SegmentPage() {
  const { segmentId } = route.useParams();
  const { q = '', why } = route.useSearch();
  const navigate = useNavigate({ from: '/segments/$segmentId' });
  const { orgId } = useOrg();
  useSegmentsLive(orgId);
  const segment = useQuery({ ...segmentQuery(orgId, segmentId), refetchInterval: usePolling() });
  const ask = (contact: string | undefined) =>
    void navigate({ search: (old) => ({ ...old, why: contact }), resetScroll: false });
  if (segment.isPending) {
    return (
      <Stack className={classes.page} role="status" aria-label="Loading">
        <Skeleton height={32} width={280} />
        <Skeleton height={18} width={420} maw="100%" />
        <Skeleton height={320} />
      </Stack>
    );
  }
  if (segment.isError) {
    return (
      <div className={classes.page}>
        <LoadProblem error={segment.error} what="this segment" onRetry={() => void segment.refetch()} />
      </div>
    );
  }
  return (
    <div className={classes.page}>
      <Header segment={segment.data} />
      <div className={classes.columns}>
        <section aria-labelledby="members-title">
          <MembersTable
            segment={segment.data}
            q={q}
            onSearch={(text) =>
              void navigate({
                search: (old) => ({ ...old, q: text || undefined }),
                replace: true,
                resetScroll: false,
              })
            }
            onWhy={ask}
          />
        </section>
        <Stack gap="md">
          {segment.data.kind === 'dynamic' && <Rules segment={segment.data} />}
          <section className={classes.card} aria-labelledby="finder-title">
            <Title order={3} fz="md" id="finder-title" mb={8}>
              Is somebody in here?
            </Title>
            <PersonFinder label="Find a contact" onChoose={(person) => ask(person.id)} />
          </section>
          {segment.data.kind === 'static' ? (
            <AddToList segment={segment.data} />
          ) : (
            <Pins segment={segment.data} />
          )}
        </Stack>
      </div>
      <Suspense fallback={null}>
        {why && (
          <ExplainDrawer orgId={orgId} segmentId={segmentId} contactId={why} onClose={() => ask(undefined)} />
        )}
      </Suspense>
    </div>
  );
}

function Header({ segment }: { segment: Segment }) {
  const org = useOrg();
  const navigate = useNavigate();
  const now = useNow(60_000);
  const exporting = useExportMembers(org.orgId);
  const [doomed, setDoomed] = useState(false);
  const sentence = useQuery({ ...sentenceQuery(org.orgId, segment), enabled: segment.kind === 'dynamic' });
  const usage = useQuery(usageQuery(org.orgId, segment.id));
  return (
    <header style={{ marginBottom: 24 }}>
      <Group justify="space-between" align="flex-start" gap="sm">
        <div style={{ minWidth: 0, flex: '1 1 320px' }}>
          <div className={classes.facts}>
            <Title order={2} fz={24} style={{ overflowWrap: 'anywhere' }} dir="auto">
              {segment.name}
            </Title>
            <KindBadge kind={segment.kind} />
          </div>
          <Text mt={4} style={{ overflowWrap: 'anywhere' }}>
            {segment.kind === 'static' ? 'A fixed list of contacts' : sentence.data}
          </Text>
          {segment.description && (
            <Text c="dimmed" mt={4} style={{ overflowWrap: 'anywhere' }} dir="auto">
              {segment.description}
            </Text>
          )}
          <div className={classes.facts} style={{ marginTop: 8 }}>
            <Text fw={600} role="status">
              {plural(segment.member_count, 'contact')}
            </Text>
            {segment.evaluated_at ? (
              <Text size="sm" c="dimmed" title={exactTime(segment.evaluated_at)}>
                Evaluated {relativeAge(segment.evaluated_at, now)}
              </Text>
            ) : (
              <Text size="sm" c="dimmed" role="status">
                Still being worked out…
              </Text>
            )}
            {usage.data && usage.data.length > 0 && (
              <Text size="sm" c="dimmed">
                Used by{' '}
                {usage.data.map((use, index) => (
                  <span key={`${use.kind} ${use.id}`}>
                    {index > 0 && ', '}
                    {use.kind === 'segment' ? (
                      <TextLink to="/segments/$segmentId" params={{ segmentId: use.id }}>
                        {use.name}
                      </TextLink>
                    ) : (
                      `${use.name} (${use.kind})`
                    )}
                  </span>
                ))}
              </Text>
            )}
          </div>
        </div>
        <Group gap="xs">
          {org.can('campaigns.manage') && (
            <Button
              variant="default"
              leftSection={<IconSpeakerphone size={18} />}
              onClick={() => void navigate({ to: '/campaigns/new', search: { segment: segment.id } })}
            >
              Use in campaign
            </Button>
          )}
          {org.can('contacts.bulk') && (
            <Button
              variant="default"
              leftSection={<IconFileExport size={18} />}
              loading={exporting.isPending}
              onClick={() => exporting.mutate(segment.id)}
            >
              Export CSV
            </Button>
          )}
          {org.can('campaigns.manage') && (
            <Button
              leftSection={<IconEdit size={18} />}
              onClick={() =>
                void navigate({ to: '/segments/$segmentId/edit', params: { segmentId: segment.id } })
              }
            >
              Edit
            </Button>
          )}
          {(org.can('campaigns.manage') || org.can('contacts.bulk')) && (
            <LateMenu
              button={(press) => (
                <ActionIcon size={44} aria-label={`More for ${segment.name}`} {...press}>
                  <IconDotsVertical size={18} />
                </ActionIcon>
              )}
            >
              {(isWanted) => (
                <SegmentActions segment={segment} onDelete={() => setDoomed(true)} defaultOpened={isWanted} />
              )}
            </LateMenu>
          )}
        </Group>
      </Group>
      <Suspense fallback={null}>
        {doomed && (
          <DeleteSegment
            segment={segment}
            onClose={() => setDoomed(false)}
            onDeleted={() => void navigate({ to: '/segments' })}
          />
        )}
      </Suspense>
    </header>
  );
}

function Rules({ segment }: { segment: Segment }) {
  const rules = rulesOf(segment);
  return (
    <section className={classes.card} aria-labelledby="rules-title">
      <Title order={3} fz="md" id="rules-title" mb={8}>
        Rules
      </Title>
      {rules && <RulesTree rules={rules} />}
    </section>
  );
}
