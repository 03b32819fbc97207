import { Button, Drawer, NativeSelect, Skeleton, Stack, Text } from '@mantine/core';
import { useInfiniteQuery } from '@tanstack/react-query';
import { useState } from 'react';
import { LoadProblem } from '@/components/problem';
import { TextLink } from '@/components/text-link';
import { useOrg } from '@/features/tenancy/queries';
import { count } from '@/lib/time';
import { exclusionsQuery } from '../queries';
import { capital, excludedTotal, reasonSentence, reasonShort } from '../words';
import classes from './wizard.module.css';

interface ExclusionsDrawerProps {
  campaignId: string;
  version: string;
  excluded: Record<string, number>;
  onClose: () => void;
}

/** Who gets nothing, each with the reason. */
export function ExclusionsDrawer({ campaignId, version, excluded, onClose }: ExclusionsDrawerProps) {
  const { orgId } = useOrg();
  const [reason, setReason] = useState<string | null>(null);
  const list = useInfiniteQuery(exclusionsQuery(orgId, campaignId, version, reason));
  const people = list.data?.pages.flat();
  return (
    <Drawer
      opened
      onClose={onClose}
      position="right"
      title="Left out"
      closeButtonProps={{ 'aria-label': 'Close' }}
    >
      <Stack gap="sm">
        <NativeSelect
          label="Reason"
          value={reason ?? ''}
          onChange={(event) => setReason(event.currentTarget.value || null)}
          data={[
            { value: '', label: `All reasons (${count(excludedTotal(excluded))})` },
            ...Object.entries(excluded).map(([value, people]) => ({
              value,
              label: `${capital(reasonShort(value))} (${count(people)})`,
            })),
          ]}
        />
        {list.isError && !people ? (
          <LoadProblem error={list.error} what="who is left out" onRetry={() => void list.refetch()} />
        ) : !people ? (
          <Stack gap="xs" role="status" aria-label="Loading">
            <Skeleton height={40} />
            <Skeleton height={40} />
            <Skeleton height={40} />
          </Stack>
        ) : people.length === 0 ? (
          <Text c="dimmed" role="status">
            Nobody is left out.
          </Text>
        ) : (
          <ul className={classes.exclusions} aria-label="People left out">
            {people.map((person) => (
              <li key={person.contact_id}>
                <TextLink
                  to="/contacts/$contactId"
                  params={{ contactId: person.contact_id }}
                  className={classes.personName}
                  dir="auto"
                >
                  {person.full_name ?? person.phone ?? 'Unknown contact'}
                </TextLink>
                <Text size="sm" c="dimmed">
                  {reasonSentence(person.reason)}
                </Text>
              </li>
            ))}
          </ul>
        )}
        {list.hasNextPage && (
          <Button
            variant="default"
            loading={list.isFetchingNextPage}
            onClick={() => void list.fetchNextPage()}
          >
            Show more
          </Button>
        )}
      </Stack>
    </Drawer>
  );
}
