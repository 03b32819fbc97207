import { Button, CloseButton, Group, Skeleton, Table, Text, TextInput, Title } from '@mantine/core';
import { IconSearch } from '@tabler/icons-react';
import { keepPreviousData, useInfiniteQuery, useQuery } from '@tanstack/react-query';
import { useEffect, useState } from 'react';
import { PersonAvatar } from '@/components/person-avatar';
import { LoadProblem } from '@/components/problem';
import { useOrg } from '@/features/tenancy/queries';
import { useDebounced } from '@/lib/debounce';
import { plural } from '@/lib/time';
import type { Person, Segment, SegmentKind } from './model';
import { inSegment, membersQuery, peopleQuery, personName } from './queries';
import classes from './segments.module.css';
import { usePin } from './use-pin';

interface MembersTableProps {
  segment: Segment;
  q: string;
  onSearch: (q: string) => void;
  onWhy: (contactId: string) => void;
}

const FOUND_MOST = 50;

export function MembersTable({ segment, q, onSearch, onWhy }: MembersTableProps) {
  const org = useOrg();
  const { orgId } = org;
  const pin = usePin(segment);
  const mayRemove = segment.kind === 'static' && org.can('campaigns.manage');
  const [text, setText] = useState(q);
  const settled = useDebounced(text, 250);
  useEffect(() => setText(q), [q]);
  useEffect(() => {
    if (settled !== q && settled === text) onSearch(settled);
  }, [settled, q, text, onSearch]);
  const searching = q.trim() !== '';
  const members = useInfiniteQuery({ ...membersQuery(orgId, segment.id), enabled: !searching });
  const found = useQuery({
    ...peopleQuery(orgId, q.trim(), inSegment(segment.id), FOUND_MOST),
    enabled: searching,
    placeholderData: keepPreviousData,
  });
  const asked = searching ? found : members;
  const people = searching ? found.data?.contacts : members.data?.pages.flat();
  return (
    <>
      <Group justify="space-between" mb="sm" gap="sm">
        <Title order={3} fz="md" id="members-title">
          Members
        </Title>
        <TextInput
          type="search"
          aria-label="Search members"
          placeholder="Search members"
          w={{ base: '100%', sm: 260 }}
          leftSection={<IconSearch size={18} aria-hidden />}
          value={text}
          onChange={(event) => setText(event.currentTarget.value)}
          rightSection={
            text ? <CloseButton size="sm" aria-label="Clear the search" onClick={() => setText('')} /> : null
          }
        />
      </Group>
      {asked.isError && !people ? (
        <LoadProblem error={asked.error} what="the members" onRetry={() => void asked.refetch()} />
      ) : people?.length === 0 ? (
        <div className={classes.card}>
          <Text c="dimmed" role="status">
            {searching
              ? `Nobody in this segment matches “${q}”. Ask “Is somebody in here?” to learn why somebody isn’t.`
              : nobodyWords(segment.kind)}
          </Text>
        </div>
      ) : (
        <People
          people={people}
          onWhy={onWhy}
          onRemove={mayRemove ? (person) => pin.mutate({ person, as: null }) : undefined}
        />
      )}
      <Group justify="space-between" mt="sm">
        <Text c="dimmed" role="status">
          {people &&
            people.length > 0 &&
            shownWords(people.length, searching ? found.data?.total : segment.member_count)}
        </Text>
        {!searching && members.hasNextPage && (
          <Button
            variant="default"
            loading={members.isFetchingNextPage}
            onClick={() => void members.fetchNextPage()}
          >
            Show more
          </Button>
        )}
      </Group>
    </>
  );
}

const nobodyWords = (kind: SegmentKind) =>
  kind === 'static'
    ? 'Nobody is on this list yet.'
    : 'Nobody belongs right now. People appear here as soon as they fit the rules.';

const shownWords = (shown: number, total: number | undefined) =>
  total !== undefined && total > shown ? `${shown} of ${plural(total, 'contact')}` : plural(shown, 'contact');

interface PeopleProps {
  people: Person[] | undefined;
  onWhy: (id: string) => void;
  /** Only on a static list: takes somebody off it. */
  onRemove?: (person: Person) => void;
}

function People({ people, onWhy, onRemove }: PeopleProps) {
  return (
    <div className={classes.table}>
      <Table verticalSpacing={6} highlightOnHover>
        <Table.Thead>
          <Table.Tr>
            <Table.Th>Name</Table.Th>
            <Table.Th className={classes.medium}>E-mail</Table.Th>
            <Table.Th className={classes.medium}>Company</Table.Th>
            <Table.Th w={90}>{onRemove ? 'On the list' : 'Why here'}</Table.Th>
          </Table.Tr>
        </Table.Thead>
        <Table.Tbody>
          {people
            ? people.map((person) => (
                <Table.Tr key={person.id}>
                  <Table.Td>
                    <Group gap="sm" wrap="nowrap">
                      <PersonAvatar src={person.avatar_url} name={personName(person)} size={32} />
                      <div style={{ minWidth: 0 }}>
                        <Text fw={600} className={classes.member} title={personName(person)} dir="auto">
                          {personName(person)}
                        </Text>
                        {person.phone && person.phone !== personName(person) && (
                          <Text size="sm" c="dimmed" style={{ fontVariantNumeric: 'tabular-nums' }}>
                            {person.phone}
                          </Text>
                        )}
                      </div>
                    </Group>
                  </Table.Td>
                  <Table.Td className={classes.medium}>
                    <Text className={classes.member} title={person.email ?? undefined} dir="auto">
                      {person.email}
                    </Text>
                  </Table.Td>
                  <Table.Td className={classes.medium}>
                    <Text className={classes.member} title={person.company ?? undefined} dir="auto">
                      {person.company}
                    </Text>
                  </Table.Td>
                  <Table.Td>
                    <Button
                      size="xs"
                      variant="subtle"
                      onClick={() => (onRemove ? onRemove(person) : onWhy(person.id))}
                      aria-label={
                        onRemove
                          ? `Take ${personName(person)} off the list`
                          : `Why is ${personName(person)} here?`
                      }
                    >
                      {onRemove ? 'Take off' : 'Why?'}
                    </Button>
                  </Table.Td>
                </Table.Tr>
              ))
            : Array.from({ length: 8 }, (_, index) => (
                // biome-ignore lint/suspicious/noArrayIndexKey: a fixed drawing
                <Table.Tr key={index}>
                  <Table.Td>
                    <Group gap="sm" wrap="nowrap">
                      <Skeleton circle height={32} />
                      <Skeleton height={14} width={140} />
                    </Group>
                  </Table.Td>
                  <Table.Td className={classes.medium}>
                    <Skeleton height={14} width={140} />
                  </Table.Td>
                  <Table.Td className={classes.medium}>
                    <Skeleton height={14} width={90} />
                  </Table.Td>
                  <Table.Td>
                    <Skeleton height={30} width={60} />
                  </Table.Td>
                </Table.Tr>
              ))}
        </Table.Tbody>
      </Table>
    </div>
  );
}
