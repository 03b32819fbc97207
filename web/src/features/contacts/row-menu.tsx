import { ActionIcon, Menu } from '@mantine/core';
import { IconDotsVertical, IconMessage, IconTrash, IconUser } from '@tabler/icons-react';
import { useNavigate } from '@tanstack/react-router';
import { useState } from 'react';
import { useOrg } from '@/features/tenancy/queries';
import { useContactActions } from './contact-actions';
import { type Contact, contactName } from './model';

export function RowMenu({ contact, defaultOpened }: { contact: Contact; defaultOpened: boolean }) {
  const [opened, setOpened] = useState(defaultOpened);
  return (
    <Menu position="bottom-end" opened={opened} onChange={setOpened}>
      <Menu.Target>
        <ActionIcon aria-label={`Actions for ${contactName(contact)}`}>
          <IconDotsVertical size={18} />
        </ActionIcon>
      </Menu.Target>
      {/* A page of a hundred rows need not prepare a hundred menus. */}
      {opened && (
        <Menu.Dropdown>
          <Items contact={contact} />
        </Menu.Dropdown>
      )}
    </Menu>
  );
}

function Items({ contact }: { contact: Contact }) {
  const org = useOrg();
  const navigate = useNavigate();
  const { start, remove } = useContactActions(contact);
  return (
    <>
      <Menu.Item
        leftSection={<IconUser size={18} />}
        onClick={() => void navigate({ to: '/contacts/$contactId', params: { contactId: contact.id } })}
      >
        Open
      </Menu.Item>
      {start && (
        <Menu.Item leftSection={<IconMessage size={18} />} onClick={start}>
          Send message
        </Menu.Item>
      )}
      {org.can('contacts.delete') && (
        <Menu.Item color="red" leftSection={<IconTrash size={18} />} onClick={() => remove.mutate()}>
          Delete
        </Menu.Item>
      )}
    </>
  );
}
