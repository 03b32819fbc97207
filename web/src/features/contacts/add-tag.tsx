import { Button, Combobox, useCombobox } from '@mantine/core';
import { IconPlus } from '@tabler/icons-react';
import { useState } from 'react';
import type { Tag } from './model';

interface AddTagProps {
  offered: Tag[];
  all: Tag[];
  mayCreate: boolean;
  onAdd: (tag: Tag) => void;
  onCreate: (name: string) => void;
}

export function AddTag({ offered, all, mayCreate, onAdd, onCreate }: AddTagProps) {
  const [typed, setTyped] = useState('');
  const combobox = useCombobox({
    onDropdownClose: () => {
      combobox.resetSelectedOption();
      combobox.focusTarget();
      setTyped('');
    },
    onDropdownOpen: () => combobox.focusSearchInput(),
  });
  const wanted = typed.trim().toLowerCase();
  const found = offered.filter((tag) => tag.name.toLowerCase().includes(wanted));
  const isNew = wanted !== '' && mayCreate && !all.some((tag) => tag.name.toLowerCase() === wanted);
  return (
    <Combobox
      store={combobox}
      width={240}
      position="bottom-start"
      onOptionSubmit={(id) => {
        const tag = offered.find((each) => each.id === id);
        if (tag) onAdd(tag);
        else onCreate(typed.trim());
        combobox.closeDropdown();
      }}
    >
      <Combobox.Target withAriaAttributes={false}>
        <Button
          size="compact-sm"
          variant="default"
          leftSection={<IconPlus size={14} />}
          onClick={() => combobox.toggleDropdown()}
        >
          Add tag
        </Button>
      </Combobox.Target>
      <Combobox.Dropdown>
        <Combobox.Search
          value={typed}
          aria-label="Find a tag"
          placeholder={mayCreate ? 'Find or create a tag' : 'Find a tag'}
          maxLength={50}
          onChange={(event) => {
            setTyped(event.currentTarget.value);
            combobox.selectFirstOption();
          }}
        />
        <Combobox.Options mah={240} style={{ overflowY: 'auto' }} aria-label="Tags">
          {found.map((tag) => (
            <Combobox.Option key={tag.id} value={tag.id}>
              {tag.name}
            </Combobox.Option>
          ))}
          {isNew && <Combobox.Option value="">Create “{typed.trim()}”</Combobox.Option>}
          {found.length === 0 && !isNew && <Combobox.Empty>No other tag</Combobox.Empty>}
        </Combobox.Options>
      </Combobox.Dropdown>
    </Combobox>
  );
}
