import { ActionIcon, Button, Group, Skeleton, Text, Title } from '@mantine/core';
import { IconTrash } from '@tabler/icons-react';
import { useMutation, useQuery, useQueryClient } from '@tanstack/react-query';
import { Suspense, useState } from 'react';
import { LoadProblem } from '@/components/problem';
import { TextLink } from '@/components/text-link';
import { useOrg } from '@/features/tenancy/queries';
import { lazyPart } from '@/lib/lazy-part';
import { tellDone, tellProblem } from '@/lib/tell';
import { exactTime, longDate } from '@/lib/time';
import { costWords } from '../words';
import classes from './opportunities.module.css';
import { deleteOpportunity, type Opportunity, opportunitiesKey, opportunitiesQuery } from './queries';

const RecordDialog = lazyPart(async () => (await import('./record-dialog')).RecordDialog);

/** What came of writing to this person: bookings and sales, and which campaign they count for. */
export function ContactOpportunities({ contactId, editable }: { contactId: string; editable: boolean }) {
  const org = useOrg();
  const [recording, setRecording] = useState(false);
  const list = useQuery(opportunitiesQuery(org.orgId, contactId));
  const may = editable && (org.can('inbox.answer') || org.can('campaigns.manage'));
  return (
    <section className={classes.card} aria-labelledby="opportunities-title">
      <Group justify="space-between" mb={list.data?.length ? 8 : 0}>
        <Title order={3} fz="md" id="opportunities-title">
          Sales opportunities
        </Title>
        {may && (
          <Button size="xs" variant="default" onClick={() => setRecording(true)}>
            Record one
          </Button>
        )}
      </Group>
      {list.isError && !list.data ? (
        <LoadProblem error={list.error} what="the sales opportunities" onRetry={() => void list.refetch()} />
      ) : !list.data ? (
        <Skeleton height={24} role="status" aria-label="Loading" />
      ) : list.data.length === 0 ? (
        <Text size="sm" c="dimmed">
          None yet. A booking or sale that follows a campaign is listed here.
        </Text>
      ) : (
        <ul className={classes.list}>
          {list.data.map((each) => (
            <Row key={each.id} opportunity={each} contactId={contactId} deletable={may} />
          ))}
        </ul>
      )}
      <Suspense fallback={null}>
        {recording && <RecordDialog contactId={contactId} onClose={() => setRecording(false)} />}
      </Suspense>
    </section>
  );
}

const sources: Record<string, string> = {
  callback: 'Reported by your website',
  agent: 'Recorded by hand',
  flow: 'Recorded by a flow',
};

interface RowProps {
  opportunity: Opportunity;
  contactId: string;
  deletable: boolean;
}

function Row({ opportunity, contactId, deletable }: RowProps) {
  const { orgId } = useOrg();
  const queryClient = useQueryClient();
  const { amount, currency, note, campaigns, source, occurred_at } = opportunity;
  const money =
    amount !== null && amount !== undefined && currency ? costWords({ amount, currency }) : undefined;
  const remove = useMutation({
    mutationFn: () => deleteOpportunity(opportunity.id),
    onSuccess: () => tellDone('The sales opportunity is deleted.'),
    onError: tellProblem,
    onSettled: () => queryClient.invalidateQueries({ queryKey: opportunitiesKey(orgId, contactId) }),
  });
  return (
    <li>
      <div className={classes.words}>
        <Text fw={600}>
          {money ?? 'Opportunity'}
          {campaigns && (
            <Text component="span" fw={400}>
              {' '}
              from{' '}
              <TextLink to="/campaigns/$campaignId" params={{ campaignId: campaigns.id }}>
                {campaigns.name}
              </TextLink>
            </Text>
          )}
        </Text>
        {note && (
          <Text size="sm" style={{ overflowWrap: 'anywhere' }} dir="auto">
            {note}
          </Text>
        )}
        <Text size="sm" c="dimmed">
          <time dateTime={occurred_at} title={exactTime(occurred_at)}>
            {longDate(occurred_at)}
          </time>
          {` · ${sources[source] ?? 'Recorded'}`}
        </Text>
      </div>
      {deletable && (
        <ActionIcon
          aria-label={`Delete the opportunity of ${longDate(occurred_at)}`}
          loading={remove.isPending}
          onClick={() => remove.mutate()}
        >
          <IconTrash size={18} />
        </ActionIcon>
      )}
    </li>
  );
}
