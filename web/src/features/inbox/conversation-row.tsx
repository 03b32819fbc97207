import { Tooltip, VisuallyHidden } from '@mantine/core';
import {
  IconBellZ,
  IconFile,
  IconHeadphones,
  IconHelpHexagon,
  IconMapPin,
  IconNote,
  IconPhoto,
  IconShoppingBag,
  IconSticker,
  IconTemplate,
  IconUser,
  IconVideo,
} from '@tabler/icons-react';
import { Link } from '@tanstack/react-router';
import { memo } from 'react';
import { PersonAvatar } from '@/components/person-avatar';
import { compactAge, exactTime, plural } from '@/lib/time';
import classes from './inbox.module.css';
import { type Conversation, displayName } from './model';
import { TickIcon } from './ticks';
import { WindowBadge } from './window-badge';

const typeMarks: Record<string, { Icon: typeof IconFile; word: string }> = {
  image: { Icon: IconPhoto, word: 'Photo' },
  video: { Icon: IconVideo, word: 'Video' },
  audio: { Icon: IconHeadphones, word: 'Audio' },
  document: { Icon: IconFile, word: 'Document' },
  sticker: { Icon: IconSticker, word: 'Sticker' },
  location: { Icon: IconMapPin, word: 'Location' },
  contacts: { Icon: IconUser, word: 'Contact card' },
  order: { Icon: IconShoppingBag, word: 'Order' },
  template: { Icon: IconTemplate, word: 'Template' },
  note: { Icon: IconNote, word: 'Note' },
  unsupported: { Icon: IconHelpHexagon, word: 'Message that can’t be shown here' },
};

interface RowProps {
  row: Conversation;
  search: { tab?: string; q?: string };
  selected: boolean;
  now: number;
  assignee?: string;
  /** The part of an older message that a search found. */
  snippet?: string | null;
  onIntent: (id: string) => void;
}

export const ConversationRow = memo(function ConversationRow({
  row,
  search,
  selected,
  now,
  assignee,
  snippet,
  onIntent,
}: RowProps) {
  const name = displayName(row);
  return (
    <Link
      to="/conversations/{-$conversationId}"
      params={{ conversationId: row.id }}
      search={(old) => ({ ...old, ...search }) as never}
      className={classes.row}
      data-active={selected || undefined}
      data-unread={row.unread_count > 0 || undefined}
      data-conversation={row.id}
      aria-current={selected ? 'true' : undefined}
      onPointerEnter={() => onIntent(row.id)}
      onFocus={() => onIntent(row.id)}
    >
      <PersonAvatar src={row.contact_avatar_url} name={name} size={42} />
      <div className={classes.rowBody}>
        <div className={classes.rowLine}>
          <span className={classes.name} title={name} dir="auto">
            {name}
          </span>
          <time
            className={classes.time}
            dateTime={row.last_message_at}
            title={exactTime(row.last_message_at)}
          >
            {compactAge(row.last_message_at, now)}
          </time>
        </div>
        <div className={classes.rowLine}>
          <Preview row={row} snippet={snippet} />
          {row.unread_count > 0 && (
            <span className={classes.unread}>
              <span aria-hidden>{row.unread_count > 99 ? '99+' : row.unread_count}</span>
              <VisuallyHidden>{plural(row.unread_count, 'unread message')}</VisuallyHidden>
            </span>
          )}
        </div>
        <div className={classes.rowLine} style={{ justifyContent: 'space-between' }}>
          <WindowBadge expiresAt={row.window_expires_at} />
          <span className={classes.rowLine}>
            {row.snoozed_until && (
              <Tooltip label={`Snoozed until ${exactTime(row.snoozed_until)}`}>
                <IconBellZ size={15} aria-label="Snoozed" color="var(--op-muted)" />
              </Tooltip>
            )}
            {assignee && (
              <Tooltip label={`Assigned to ${assignee}`}>
                <PersonAvatar name={assignee} size={20} alt={`Assigned to ${assignee}`} />
              </Tooltip>
            )}
          </span>
        </div>
      </div>
    </Link>
  );
});

function Preview({ row, snippet }: { row: Conversation; snippet?: string | null }) {
  if (snippet) {
    return (
      <span className={classes.preview}>
        <span className={classes.previewText} dir="auto">
          “{snippet}”
        </span>
      </span>
    );
  }
  const mark = typeMarks[row.last_message_type ?? ''];
  const text =
    row.last_message_preview?.replaceAll(/\s+/g, ' ').slice(0, 80) || mark?.word || 'No messages yet';
  const status = row.last_message_direction === 'outbound' ? row.last_message_status : null;
  return (
    <span className={classes.preview}>
      {status && <TickIcon message={{ status: status as 'sent', is_uncertain: false }} label={status} />}
      {mark && <mark.Icon size={15} aria-hidden />}
      <span className={classes.previewText} dir="auto">
        {text}
      </span>
    </span>
  );
}
