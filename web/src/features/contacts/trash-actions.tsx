import { ActionIcon, Group, Tooltip } from '@mantine/core';
import { IconArrowBackUp, IconEraser } from '@tabler/icons-react';
import { useState } from 'react';
import { useContactActions } from './contact-actions';
import { EraseDialog } from './erase-dialog';
import { type Contact, contactName } from './model';

export function TrashActions({ contact }: { contact: Contact }) {
  const { restore } = useContactActions(contact);
  const [erasing, setErasing] = useState(false);
  const name = contactName(contact);
  return (
    <Group gap={4} wrap="nowrap" justify="flex-end">
      <Tooltip label="Restore">
        <ActionIcon
          aria-label={`Restore ${name}`}
          loading={restore.isPending}
          onClick={() => restore.mutate()}
        >
          <IconArrowBackUp size={18} />
        </ActionIcon>
      </Tooltip>
      <Tooltip label="Erase for good">
        <ActionIcon aria-label={`Erase ${name} for good`} color="red" onClick={() => setErasing(true)}>
          <IconEraser size={18} />
        </ActionIcon>
      </Tooltip>
      {erasing && <EraseDialog contact={contact} onClose={() => setErasing(false)} />}
    </Group>
  );
}
