import { Avatar, Button, Menu, Text } from '@mantine/core';
import { IconCheck, IconUserOff, IconUserPlus } from '@tabler/icons-react';
import { may } from '@/features/tenancy/permissions';
import { useMembers } from '@/features/tenancy/queries';
import type { Conversation } from './model';

interface AssignMenuProps {
  conversation: Conversation;
  me: string;
  opened: boolean;
  onOpened: (opened: boolean) => void;
  onAssign: (userId: string | null) => void;
  compact: boolean;
}

export function AssignMenu({ conversation, me, opened, onOpened, onAssign, compact }: AssignMenuProps) {
  const members = useMembers();
  const answering = (members.data ?? []).filter((member) => may(member.role, 'inbox.answer'));
  const assigned = members.data?.find((member) => member.userId === conversation.assigned_to);
  const ordered = [...answering].sort(
    (a, b) => Number(b.userId === me) - Number(a.userId === me) || a.name.localeCompare(b.name),
  );
  const label = assigned ? (assigned.userId === me ? 'You' : assigned.name) : 'Assign';
  return (
    <Menu position="bottom-end" width={260} opened={opened} onChange={onOpened}>
      <Menu.Target>
        <Button
          variant="default"
          size="sm"
          h={40}
          px={compact ? 8 : 'sm'}
          maw={180}
          aria-label={assigned ? `Assigned to ${assigned.name}. Change` : 'Assign this conversation'}
          leftSection={
            compact ? undefined : assigned ? (
              <Avatar name={assigned.name} size={22} alt="" />
            ) : (
              <IconUserPlus size={18} aria-hidden />
            )
          }
        >
          {compact ? (
            assigned ? (
              <Avatar name={assigned.name} size={24} alt="" />
            ) : (
              <IconUserPlus size={18} aria-hidden />
            )
          ) : (
            label
          )}
        </Button>
      </Menu.Target>
      <Menu.Dropdown>
        <Menu.Label>Assign to</Menu.Label>
        {ordered.map((member) => (
          <Menu.Item
            key={member.userId}
            leftSection={<Avatar name={member.name} size={24} alt="" />}
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
