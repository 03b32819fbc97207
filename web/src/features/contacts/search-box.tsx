import { CloseButton, TextInput } from '@mantine/core';
import { IconSearch } from '@tabler/icons-react';
import { useEffect, useState } from 'react';
import { useDebounced } from '@/lib/debounce';
import classes from './contacts.module.css';

/** Asks when the typing pauses; follows the address when somebody goes back. */
export function SearchBox({ q, onSearch }: { q: string; onSearch: (q: string) => void }) {
  const [text, setText] = useState(q);
  const settled = useDebounced(text, 300);
  useEffect(() => setText(q), [q]);
  // biome-ignore lint/correctness/useExhaustiveDependencies: only a pause in typing asks, not a change of the address
  useEffect(() => {
    if (settled !== q && settled === text) onSearch(settled);
  }, [settled]);
  return (
    <TextInput
      type="search"
      className={classes.searchBox}
      aria-label="Search contacts"
      placeholder="Search name, number, e-mail, company"
      leftSection={<IconSearch size={18} aria-hidden />}
      value={text}
      onChange={(event) => setText(event.currentTarget.value)}
      rightSection={
        text ? (
          <CloseButton
            size="sm"
            aria-label="Clear the search"
            onClick={() => {
              setText('');
              onSearch('');
            }}
          />
        ) : null
      }
    />
  );
}
