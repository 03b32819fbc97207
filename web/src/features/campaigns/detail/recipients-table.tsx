import { Badge, Button, Group, NativeSelect, Skeleton, Table, Text, Title } from '@mantine/core';
import { IconFileExport } from '@tabler/icons-react';
import { keepPreviousData, useInfiniteQuery, useMutation, useQueryClient } from '@tanstack/react-query';
import { Link } from '@tanstack/react-router';
import { LoadProblem } from '@/components/problem';
import { SearchBox } from '@/components/search-box';
import { failureWords } from '@/features/inbox/failures';
import { useOrg } from '@/features/tenancy/queries';
import { tellProblem } from '@/lib/tell';
import { clockTime, count, exactTime, plural, shortDate } from '@/lib/time';
import { type Campaign, type Recipient, type RecipientStatus, recipientStatuses, type Stats } from '../model';
import { exportRecipients, recipientsQuery } from '../queries';
import { reasonSentence, recipientNames, variantName, whenWords } from '../words';
import classes from './detail.module.css';

interface RecipientsTableProps {
  campaign: Campaign;
  stats: Stats;
  q: string;
  status: RecipientStatus[] | undefined;
  onSearch: (q: string) => void;
  onStatus: (status: RecipientStatus[] | undefined) => void;
}

/** Everybody in the ledger, one row each: what they got, when, and what they did with it. */
export function RecipientsTable({ campaign, stats, q, status, onSearch, onStatus }: RecipientsTableProps) {
  const org = useOrg();
  const list = useInfiniteQuery({
    ...recipientsQuery(org.orgId, campaign.id, q.trim(), status),
    placeholderData: keepPreviousData,
  });
  const people = list.data?.pages.flatMap((page) => page.recipients);
  const one = status?.length === 1 ? status[0] : undefined;
  return (
    <>
      <Group mb="sm" gap="sm">
        <Title order={3} fz="md" id="recipients-title">
          Recipients
        </Title>
        <SearchBox
          w={{ base: '100%', sm: 240 }}
          label="Search recipients"
          placeholder="Name or number"
          q={q}
          onSearch={onSearch}
        />
        <NativeSelect
          aria-label="Status of recipients"
          w={170}
          value={one ?? ''}
          onChange={(event) => {
            const value = event.currentTarget.value as RecipientStatus | '';
            onStatus(value ? [value] : undefined);
          }}
          data={[
            {
              value: '',
              label: status && !one ? status.map((each) => recipientNames[each]).join(', ') : 'Everybody',
            },
            ...recipientStatuses.map((value) => ({ value, label: recipientNames[value] })),
          ]}
        />
        {status && !one && (
          <Button variant="default" onClick={() => onStatus(undefined)}>
            Show everybody
          </Button>
        )}
        {org.can('contacts.bulk') && <ExportButton campaign={campaign} />}
      </Group>
      {list.isError && !people ? (
        <LoadProblem error={list.error} what="the recipients" onRetry={() => void list.refetch()} />
      ) : people?.length === 0 ? (
        <div className={classes.card}>
          <Text c="dimmed" role="status">
            {q || status ? 'Nobody here fits what you are looking for.' : 'Nobody is in this campaign.'}
          </Text>
        </div>
      ) : (
        <Rows
          people={people}
          stale={list.isPlaceholderData}
          withVariant={stats.total > 0 && isTest(people)}
        />
      )}
      <Group justify="space-between" mt="sm">
        <Text c="dimmed" role="status">
          {people &&
            (q || status
              ? `${plural(people.length, 'person', 'people')} shown`
              : `${count(people.length)} of ${plural(stats.total, 'person', 'people')}`)}
        </Text>
        {list.hasNextPage && (
          <Button
            variant="default"
            loading={list.isFetchingNextPage}
            onClick={() => void list.fetchNextPage()}
          >
            Show more
          </Button>
        )}
      </Group>
    </>
  );
}

const isTest = (people: Recipient[] | undefined): boolean =>
  (people ?? []).some(({ variant }) => (variant ?? 1) > 1);

function ExportButton({ campaign }: { campaign: Campaign }) {
  const queryClient = useQueryClient();
  const exporting = useMutation({
    mutationFn: async () => {
      const { followJob } = await import('@/features/jobs/follow');
      followJob(queryClient, await exportRecipients(campaign.id));
    },
    onError: tellProblem,
  });
  return (
    <Button
      variant="default"
      ml="auto"
      leftSection={<IconFileExport size={18} />}
      loading={exporting.isPending}
      onClick={() => exporting.mutate()}
    >
      Export CSV
    </Button>
  );
}

function Rows({
  people,
  stale,
  withVariant,
}: {
  people: Recipient[] | undefined;
  stale: boolean;
  withVariant: boolean;
}) {
  return (
    <div className={classes.table} data-stale={stale || undefined}>
      <Table verticalSpacing={6} highlightOnHover stickyHeader>
        <Table.Thead>
          <Table.Tr>
            <Table.Th>Name</Table.Th>
            <Table.Th>Status</Table.Th>
            {withVariant && <Table.Th className={classes.wide}>Variant</Table.Th>}
            <Table.Th className={classes.medium}>Sent</Table.Th>
            <Table.Th className={classes.medium}>Delivered</Table.Th>
            <Table.Th className={classes.medium}>Read</Table.Th>
            <Table.Th className={classes.wide}>Replied</Table.Th>
            <Table.Th className={classes.wide}>Clicked</Table.Th>
            <Table.Th className={classes.wide}>Opportunity</Table.Th>
          </Table.Tr>
        </Table.Thead>
        <Table.Tbody>
          {people
            ? people.map((person) => (
                <Row key={person.contact_id} person={person} withVariant={withVariant} />
              ))
            : Array.from({ length: 8 }, (_, index) => (
                // biome-ignore lint/suspicious/noArrayIndexKey: a fixed drawing
                <Table.Tr key={index}>
                  <Table.Td>
                    <Skeleton height={14} width={150} my={10} />
                  </Table.Td>
                  <Table.Td>
                    <Skeleton height={20} width={80} radius="xl" />
                  </Table.Td>
                  <Table.Td className={classes.medium} colSpan={3}>
                    <Skeleton height={14} width={180} />
                  </Table.Td>
                </Table.Tr>
              ))}
        </Table.Tbody>
      </Table>
    </div>
  );
}

function Row({ person, withVariant }: { person: Recipient; withVariant: boolean }) {
  const name = person.full_name ?? person.phone ?? 'Unknown contact';
  const why = whyWords(person);
  return (
    <Table.Tr>
      <Table.Td>
        <Link
          to="/contacts/$contactId"
          params={{ contactId: person.contact_id }}
          className={classes.name}
          title={name}
          dir="auto"
        >
          {name}
        </Link>
        {person.phone && person.phone !== name && (
          <Text size="sm" c="dimmed" className={classes.figure}>
            {person.phone}
          </Text>
        )}
      </Table.Td>
      <Table.Td>
        <RecipientBadge person={person} />
        {why && (
          <Text size="sm" c="dimmed" className={classes.why}>
            {why}
          </Text>
        )}
      </Table.Td>
      {withVariant && (
        <Table.Td className={classes.wide}>{person.variant ? variantName(person.variant) : '–'}</Table.Td>
      )}
      <At className={classes.medium} time={person.sent_at} />
      <At className={classes.medium} time={person.delivered_at} />
      <At className={classes.medium} time={person.read_at} />
      <At className={classes.wide} time={person.replied_at} />
      <At className={classes.wide} time={person.clicked_at} />
      <At className={classes.wide} time={person.opportunity_at} />
    </Table.Tr>
  );
}

const colors: Record<RecipientStatus, string> = {
  waiting: 'gray',
  queued: 'blue',
  sent: 'blue',
  delivered: 'green',
  read: 'green',
  failed: 'red',
  held_out: 'gray',
  excluded: 'gray',
};

function RecipientBadge({ person }: { person: Recipient }) {
  return (
    <Badge variant="light" color={person.is_uncertain ? 'yellow' : colors[person.status]}>
      {person.is_uncertain ? 'Confirming…' : recipientNames[person.status]}
    </Badge>
  );
}

/** Why somebody got nothing, or not yet. */
export function whyWords(person: Recipient): string | undefined {
  if (person.exclusion_reason) return reasonSentence(person.exclusion_reason);
  if (person.is_uncertain) return 'We don’t know yet whether it was sent.';
  if (person.status === 'failed') return failureWords(person.error_code ?? null);
  if (person.status === 'waiting' && person.error_code && person.ready_at)
    return `${failureWords(person.error_code)} Tried again ${whenWords(person.ready_at)}.`;
  if (person.status === 'held_out') return 'Gets nothing, so that the effect can be measured.';
  return undefined;
}

function At({ time, className }: { time: string | null | undefined; className: string | undefined }) {
  return (
    <Table.Td className={className}>
      {time ? (
        <time dateTime={time} title={exactTime(time)} className={`${classes.figure} ${classes.time}`}>
          {new Date(time).toDateString() === new Date().toDateString()
            ? clockTime(time)
            : `${shortDate(time)}, ${clockTime(time)}`}
        </time>
      ) : (
        <Text c="dimmed" component="span">
          –
        </Text>
      )}
    </Table.Td>
  );
}
