import { Button, Menu } from '@mantine/core';
import { IconArrowMerge, IconDownload, IconEraser, IconTrash } from '@tabler/icons-react';
import { useOrg } from '@/features/tenancy/queries';
import { useContactActions } from './contact-actions';
import type { Contact } from './model';

interface ContactMenuProps {
  contact: Contact;
  defaultOpened: boolean;
  onDeleted: () => void;
  onMerge: () => void;
  onErase: () => void;
}

export function ContactMenu({ contact, defaultOpened, onDeleted, onMerge, onErase }: ContactMenuProps) {
  const org = useOrg();
  const { remove, saveData } = useContactActions(contact);
  const inTrash = contact.deleted_at !== null;
  return (
    <Menu position="bottom-end" defaultOpened={defaultOpened}>
      <Menu.Target>
        <Button variant="default" loading={saveData.isPending || remove.isPending}>
          More
        </Button>
      </Menu.Target>
      <Menu.Dropdown>
        <Menu.Item leftSection={<IconDownload size={18} />} onClick={() => saveData.mutate()}>
          Download this person’s data
        </Menu.Item>
        {org.can('contacts.write') && org.can('contacts.delete') && !inTrash && (
          <Menu.Item leftSection={<IconArrowMerge size={18} />} onClick={onMerge}>
            Merge with another contact
          </Menu.Item>
        )}
        {org.can('contacts.delete') && !inTrash && (
          <Menu.Item
            color="red"
            leftSection={<IconTrash size={18} />}
            onClick={() => remove.mutate(undefined, { onSuccess: onDeleted })}
          >
            Delete
          </Menu.Item>
        )}
        {org.can('contacts.trash') && (
          <Menu.Item color="red" leftSection={<IconEraser size={18} />} onClick={onErase}>
            Erase for good
          </Menu.Item>
        )}
      </Menu.Dropdown>
    </Menu>
  );
}
