import { ActionIcon, Button, Title, Tooltip } from '@mantine/core';
import {
  IconArrowLeft,
  IconBellZ,
  IconCheck,
  IconDotsVertical,
  IconLayoutSidebarRight,
  IconRotateClockwise2,
} from '@tabler/icons-react';
import { Suspense } from 'react';
import { LateMenu } from '@/components/late-menu';
import { PersonAvatar } from '@/components/person-avatar';
import { lazyPart } from '@/lib/lazy-part';
import { useMedia } from '@/lib/media';
import { exactTime } from '@/lib/time';
import { AssignButton } from './assign-button';
import classes from './chat.module.css';
import { type Conversation, displayName } from './model';
import { WindowBadge } from './window-badge';

const AssignMenu = lazyPart(async () => (await import('./assign-menu')).AssignMenu);
const MoreMenu = lazyPart(async () => (await import('./more-menu')).MoreMenu);

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
          <Suspense
            fallback={<AssignButton conversation={conversation} me={me} onClick={() => onAssignOpen(true)} />}
          >
            <AssignMenu
              conversation={conversation}
              me={me}
              opened={assignOpen}
              onOpened={onAssignOpen}
              onAssign={actions.assign}
            />
          </Suspense>
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
        <LateMenu
          button={(press) => (
            <ActionIcon size={44} aria-label="More actions" {...press}>
              <IconDotsVertical size={20} />
            </ActionIcon>
          )}
        >
          {(isWanted) => (
            <MoreMenu
              narrow={narrow}
              mayAnswer={mayAnswer}
              resolved={resolved}
              actions={actions}
              defaultOpened={isWanted}
            />
          )}
        </LateMenu>
      )}
    </header>
  );
}
