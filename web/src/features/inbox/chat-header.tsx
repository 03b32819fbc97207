import { ActionIcon, Button, Menu, Title, Tooltip } from '@mantine/core';
import {
  IconArrowLeft,
  IconBellZ,
  IconCheck,
  IconDotsVertical,
  IconInfoCircle,
  IconLayoutSidebarRight,
  IconMailOpened,
  IconRotateClockwise2,
} from '@tabler/icons-react';
import { useState } from 'react';
import { PersonAvatar } from '@/components/person-avatar';
import { useMedia } from '@/lib/media';
import { exactTime } from '@/lib/time';
import { AssignMenu } from './assign-menu';
import classes from './chat.module.css';
import { type Conversation, displayName } from './model';
import { snoozeChoices } from './snooze';
import { WindowBadge } from './window-badge';

export interface HeaderActions {
  assign: (userId: string | null) => void;
  resolve: () => void;
  reopen: () => void;
  snooze: (until: Date) => void;
  markUnread: () => void;
  back: () => void;
  togglePanel: () => void;
}

interface ChatHeaderProps {
  conversation: Conversation;
  me: string;
  mayAnswer: boolean;
  panelOpen: boolean;
  assignOpen: boolean;
  onAssignOpen: (opened: boolean) => void;
  actions: HeaderActions;
}

export function ChatHeader({
  conversation,
  me,
  mayAnswer,
  panelOpen,
  assignOpen,
  onAssignOpen,
  actions,
}: ChatHeaderProps) {
  const narrow = useMedia('(max-width: 47.99em)');
  const resolved = conversation.status === 'resolved';
  const name = displayName(conversation);
  return (
    <header className={classes.header}>
      {narrow && (
        <ActionIcon size={44} aria-label="Back to the list" onClick={actions.back}>
          <IconArrowLeft size={22} />
        </ActionIcon>
      )}
      {!narrow && <PersonAvatar src={conversation.contact_avatar_url} name={name} size={40} />}
      <div className={classes.headerName}>
        <Title order={2} fz="lg" lineClamp={1} title={name}>
          {name}
        </Title>
        <div className={classes.headerFacts}>
          {!narrow && conversation.contact_name && (
            <span className={classes.headerPhone}>{conversation.contact_phone}</span>
          )}
          <WindowBadge expiresAt={conversation.window_expires_at} long />
          {conversation.snoozed_until && (
            <Tooltip label={`Snoozed until ${exactTime(conversation.snoozed_until)}`}>
              <IconBellZ size={16} aria-label="Snoozed" style={{ flex: 'none' }} />
            </Tooltip>
          )}
        </div>
      </div>
      {mayAnswer && (
        <>
          <AssignMenu
            conversation={conversation}
            me={me}
            opened={assignOpen}
            onOpened={onAssignOpen}
            onAssign={actions.assign}
          />
          {!narrow && (
            <Tooltip label={resolved ? 'Reopen (e)' : 'Resolve (e)'}>
              <Button
                variant={resolved ? 'default' : 'light'}
                h={40}
                px="sm"
                aria-label={resolved ? 'Reopen' : 'Resolve'}
                onClick={resolved ? actions.reopen : actions.resolve}
              >
                {resolved ? <IconRotateClockwise2 size={18} /> : <IconCheck size={18} />}
                <span className={classes.headerLabel} style={{ marginInlineStart: 8 }}>
                  {resolved ? 'Reopen' : 'Resolve'}
                </span>
              </Button>
            </Tooltip>
          )}
        </>
      )}
      {!narrow && (
        <Tooltip label={panelOpen ? 'Hide contact details' : 'Show contact details'}>
          <ActionIcon
            size={40}
            aria-label="Contact details"
            aria-expanded={panelOpen}
            onClick={actions.togglePanel}
          >
            <IconLayoutSidebarRight size={20} />
          </ActionIcon>
        </Tooltip>
      )}
      {(mayAnswer || narrow) && (
        <MoreMenu narrow={narrow} mayAnswer={mayAnswer} resolved={resolved} actions={actions} />
      )}
    </header>
  );
}

interface MoreMenuProps {
  narrow: boolean;
  mayAnswer: boolean;
  resolved: boolean;
  actions: HeaderActions;
}

function MoreMenu({ narrow, mayAnswer, resolved, actions }: MoreMenuProps) {
  const [snoozing, setSnoozing] = useState(false);
  const choices = snoozing ? snoozeChoices(new Date()) : [];
  return (
    <Menu position="bottom-end" width={230} onClose={() => setSnoozing(false)}>
      <Menu.Target>
        <ActionIcon size={44} aria-label="More actions">
          <IconDotsVertical size={20} />
        </ActionIcon>
      </Menu.Target>
      <Menu.Dropdown>
        {snoozing ? (
          <>
            <Menu.Label>Snooze until</Menu.Label>
            {choices.map(({ label, until }) => (
              <Menu.Item key={label} onClick={() => actions.snooze(until)}>
                {label}
              </Menu.Item>
            ))}
          </>
        ) : (
          <>
            {narrow && (
              <Menu.Item leftSection={<IconInfoCircle size={18} />} onClick={actions.togglePanel}>
                Contact details
              </Menu.Item>
            )}
            {mayAnswer && (
              <>
                {narrow && (
                  <Menu.Item
                    leftSection={resolved ? <IconRotateClockwise2 size={18} /> : <IconCheck size={18} />}
                    onClick={resolved ? actions.reopen : actions.resolve}
                  >
                    {resolved ? 'Reopen' : 'Resolve'}
                  </Menu.Item>
                )}
                <Menu.Item
                  leftSection={<IconBellZ size={18} />}
                  closeMenuOnClick={false}
                  onClick={() => setSnoozing(true)}
                >
                  Snooze…
                </Menu.Item>
                <Menu.Item leftSection={<IconMailOpened size={18} />} onClick={actions.markUnread}>
                  Mark as unread
                </Menu.Item>
              </>
            )}
          </>
        )}
      </Menu.Dropdown>
    </Menu>
  );
}
