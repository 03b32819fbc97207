import { ActionIcon, Group, SegmentedControl, Skeleton, Text, Title } from '@mantine/core';
import { IconX } from '@tabler/icons-react';
import { useQuery } from '@tanstack/react-query';
import { useState } from 'react';
import { PersonAvatar } from '@/components/person-avatar';
import { Problem } from '@/components/problem';
import { useOrg } from '@/features/tenancy/queries';
import type { Person, PinKind, Segment } from './model';
import { PersonFinder } from './person-finder';
import { type Pin, personName, pinsQuery } from './queries';
import classes from './segments.module.css';
import { usePin } from './use-pin';

/** People who are in or out by hand, whatever the rules say. */
export function Pins({ segment }: { segment: Segment }) {
  const org = useOrg();
  const pins = useQuery(pinsQuery(org.orgId, segment.id));
  const [kind, setKind] = useState<PinKind>('include');
  const mayManage = org.can('campaigns.manage');
  const pin = usePin(segment);
  if (!mayManage && pins.data?.length === 0) return null;
  return (
    <section className={classes.card} aria-labelledby="pins-title">
      <Title order={3} fz="md" id="pins-title">
        Pinned by hand
      </Title>
      <Text size="sm" c="dimmed" mb={8}>
        They are in or out, whatever the rules say.
      </Text>
      {mayManage && (
        <>
          <SegmentedControl
            fullWidth
            mb={8}
            aria-label="What to do with whom you choose"
            value={kind}
            onChange={(value) => setKind(value as PinKind)}
            data={[
              { value: 'include', label: 'Always in' },
              { value: 'exclude', label: 'Always out' },
            ]}
          />
          <PersonFinder
            label={kind === 'include' ? 'Find whom to pin in' : 'Find whom to pin out'}
            onChoose={(person) => pin.mutate({ person, as: kind })}
          />
        </>
      )}
      {pins.isPending && <Skeleton height={44} mt={8} />}
      <Problem error={pins.error} onRetry={() => void pins.refetch()} />
      {(['include', 'exclude'] as const).map((each) => (
        <PinList
          key={each}
          title={each === 'include' ? 'Always in' : 'Always out'}
          pins={(pins.data ?? []).filter((one) => one.kind === each)}
          onRemove={mayManage ? (person) => pin.mutate({ person, as: null }) : undefined}
        />
      ))}
    </section>
  );
}

/** The members of a static list are its pins; the table beside shows them and takes them off. */
export function AddToList({ segment }: { segment: Segment }) {
  const org = useOrg();
  const pin = usePin(segment);
  if (!org.can('campaigns.manage')) return null;
  return (
    <section className={classes.card} aria-labelledby="add-title">
      <Title order={3} fz="md" id="add-title" mb={8}>
        Put somebody on the list
      </Title>
      <PersonFinder
        label="Find whom to put on the list"
        onChoose={(person) => pin.mutate({ person, as: 'include' })}
      />
    </section>
  );
}

interface PinListProps {
  title: string;
  pins: Pin[];
  onRemove?: (person: Person) => void;
}

function PinList({ title, pins, onRemove }: PinListProps) {
  if (pins.length === 0) return null;
  return (
    <div>
      <Text size="sm" fw={600} mt="sm">
        {title}
      </Text>
      <ul className={classes.people} aria-label={title}>
        {pins.map(({ contact_id: id, contacts: person }) =>
          person ? (
            <li key={id}>
              <Group gap="sm" wrap="nowrap" style={{ flex: 1, minWidth: 0 }}>
                <PersonAvatar src={person.avatar_url} name={personName(person)} size={28} />
                <Text truncate style={{ flex: 1 }} title={personName(person)} dir="auto">
                  {personName(person)}
                </Text>
                {onRemove && (
                  <ActionIcon
                    aria-label={`Take the pin off ${personName(person)}`}
                    onClick={() => onRemove(person)}
                  >
                    <IconX size={16} />
                  </ActionIcon>
                )}
              </Group>
            </li>
          ) : null,
        )}
      </ul>
    </div>
  );
}
