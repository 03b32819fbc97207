import { CloseButton, TextInput, type TextInputProps } from '@mantine/core';
import { IconSearch } from '@tabler/icons-react';
import { useEffect, useState } from 'react';
import { useDebounced } from '@/lib/debounce';

interface SearchBoxProps extends Pick<TextInputProps, 'w' | 'className'> {
  q: string;
  label: string;
  placeholder?: string;
  onSearch: (q: string) => void;
}

/** Asks when the typing pauses; follows the address when somebody goes back. */
export function SearchBox({ q, label, placeholder = label, onSearch, ...place }: SearchBoxProps) {
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
      aria-label={label}
      placeholder={placeholder}
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
      {...place}
    />
  );
}
