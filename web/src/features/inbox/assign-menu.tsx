import { Menu, Text } from '@mantine/core';
import { IconCheck, IconUserOff } from '@tabler/icons-react';
import { PersonAvatar } from '@/components/person-avatar';
import { may } from '@/features/tenancy/permissions';
import { useMembers } from '@/features/tenancy/queries';
import { AssignButton } from './assign-button';
import type { Conversation } from './model';

interface AssignMenuProps {
  conversation: Conversation;
  me: string;
  opened: boolean;
  onOpened: (opened: boolean) => void;
  onAssign: (userId: string | null) => void;
}

export function AssignMenu({ conversation, me, opened, onOpened, onAssign }: AssignMenuProps) {
  const members = useMembers();
  const answering = (members.data ?? []).filter((member) => may(member.role, 'inbox.answer'));
  const ordered = [...answering].sort(
    (a, b) => Number(b.userId === me) - Number(a.userId === me) || a.name.localeCompare(b.name),
  );
  return (
    <Menu position="bottom-end" width={260} opened={opened} onChange={onOpened}>
      <Menu.Target>
        <AssignButton conversation={conversation} me={me} />
      </Menu.Target>
      <Menu.Dropdown>
        <Menu.Label>Assign to</Menu.Label>
        {ordered.map((member) => (
          <Menu.Item
            key={member.userId}
            leftSection={<PersonAvatar name={member.name} size={24} />}
            rightSection={
              member.userId === conversation.assigned_to ? (
                <IconCheck size={16} aria-label="assigned" />
              ) : null
            }
            onClick={() => onAssign(member.userId)}
          >
            <Text truncate>{member.userId === me ? `${member.name} (you)` : member.name}</Text>
          </Menu.Item>
        ))}
        {conversation.assigned_to && (
          <>
            <Menu.Divider />
            <Menu.Item leftSection={<IconUserOff size={18} />} onClick={() => onAssign(null)}>
              Nobody
            </Menu.Item>
          </>
        )}
      </Menu.Dropdown>
    </Menu>
  );
}
