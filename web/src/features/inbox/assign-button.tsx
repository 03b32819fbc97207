import { Button, type ButtonProps } from '@mantine/core';
import { IconUserPlus } from '@tabler/icons-react';
import type { ComponentPropsWithRef } from 'react';
import { PersonAvatar } from '@/components/person-avatar';
import { useMembers } from '@/features/tenancy/queries';
import classes from './chat.module.css';
import type { Conversation } from './model';

interface AssignButtonProps extends ButtonProps, Omit<ComponentPropsWithRef<'button'>, keyof ButtonProps> {
  conversation: Conversation;
  me: string;
}

/** Says who answers; the menu of colleagues hangs on it once that is loaded. */
export function AssignButton({ conversation, me, ...button }: AssignButtonProps) {
  const members = useMembers();
  const assigned = members.data?.find((member) => member.userId === conversation.assigned_to);
  const label = assigned ? (assigned.userId === me ? 'You' : assigned.name) : 'Assign';
  return (
    <Button
      {...button}
      variant="default"
      h={40}
      px="sm"
      maw={180}
      aria-label={assigned ? `Assigned to ${assigned.name}. Change` : 'Assign this conversation'}
    >
      {assigned ? <PersonAvatar name={assigned.name} size={22} /> : <IconUserPlus size={18} aria-hidden />}
      <span className={classes.headerLabel} style={{ marginInlineStart: 8 }}>
        {label}
      </span>
    </Button>
  );
}
