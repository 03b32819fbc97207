import { Group, Loader, Text, TextInput, UnstyledButton } from '@mantine/core';
import { IconSearch } from '@tabler/icons-react';
import { keepPreviousData, useQuery } from '@tanstack/react-query';
import { useState } from 'react';
import { PersonAvatar } from '@/components/person-avatar';
import { useOrg } from '@/features/tenancy/queries';
import { useDebounced } from '@/lib/debounce';
import { wordsFor } from '@/lib/errors';
import type { Person } from './model';
import { peopleQuery, personName } from './queries';
import classes from './segments.module.css';

interface PersonFinderProps {
  label: string;
  onChoose: (person: Person) => void;
}

const MOST = 6;

/** Any contact of the organisation, by name, number, e-mail or company. */
export function PersonFinder({ label, onChoose }: PersonFinderProps) {
  const { orgId } = useOrg();
  const [typed, setTyped] = useState('');
  const q = useDebounced(typed.trim(), 200);
  const people = useQuery({
    ...peopleQuery(orgId, q, null, MOST),
    enabled: q !== '',
    placeholderData: keepPreviousData,
  });
  const found = q && typed.trim() ? people.data?.contacts : undefined;
  return (
    <div>
      <TextInput
        type="search"
        aria-label={label}
        placeholder="Name, number or e-mail"
        value={typed}
        onChange={(event) => setTyped(event.currentTarget.value)}
        leftSection={<IconSearch size={18} aria-hidden />}
        rightSection={people.isFetching ? <Loader size={14} color="gray" aria-label="Searching" /> : null}
      />
      {people.isError && (
        <Text size="sm" c="red" mt={6} role="alert">
          {wordsFor(people.error)}
        </Text>
      )}
      {found && (
        <ul className={classes.people} aria-label="Contacts found">
          {found.map((person) => (
            <li key={person.id}>
              <UnstyledButton
                className={classes.choice}
                onClick={() => {
                  setTyped('');
                  onChoose(person);
                }}
              >
                <Group gap="sm" wrap="nowrap">
                  <PersonAvatar src={person.avatar_url} name={personName(person)} size={28} />
                  <div style={{ minWidth: 0 }}>
                    <Text fw={600} truncate dir="auto">
                      {personName(person)}
                    </Text>
                    {person.phone && person.phone !== personName(person) && (
                      <Text size="xs" c="dimmed">
                        {person.phone}
                      </Text>
                    )}
                  </div>
                </Group>
              </UnstyledButton>
            </li>
          ))}
        </ul>
      )}
      {found?.length === 0 && (
        <Text size="sm" c="dimmed" mt={6} role="status">
          Nobody found.
        </Text>
      )}
    </div>
  );
}
