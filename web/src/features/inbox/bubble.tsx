import { ActionIcon, Button, Group, Text, Tooltip, VisuallyHidden } from '@mantine/core';
import { IconArrowBackUp, IconLock } from '@tabler/icons-react';
import { memo } from 'react';
import { clockTime, exactTime } from '@/lib/time';
import { BubbleContent } from './bubble-content';
import classes from './chat.module.css';
import { contentLine, readContent, readReactions } from './content';
import { failureWords } from './failures';
import type { Message } from './model';
import type { Unsent } from './outbox';
import type { Line } from './thread';
import { Ticks } from './ticks';

export interface BubbleActions {
  reply: (message: Message) => void;
  retryMessage: (message: Message) => void;
  retryUnsent: (clientKey: string) => void;
  discardUnsent: (clientKey: string) => void;
  jumpTo: (messageId: string) => void;
}

interface BubbleProps {
  line: Extract<Line, { kind: 'bubble' }>;
  /** The message this one answers, when it is loaded. */
  quoted?: Message;
  author?: string;
  contactName: string;
  newest: boolean;
  mayAnswer: boolean;
  actions: BubbleActions;
}

export const Bubble = memo(function Bubble(props: BubbleProps) {
  const { line, author, contactName } = props;
  const who = line.side === 'in' ? contactName : (author ?? 'You');
  const message = line.said.source === 'server' ? line.said.message : undefined;
  const unsent = line.said.source === 'local' ? line.said.unsent : undefined;
  return (
    <article
      className={classes.row}
      data-side={line.side}
      data-first={line.first || undefined}
      id={message ? `message-${message.id}` : undefined}
      aria-label={line.side === 'note' ? `Internal note by ${who}` : `${who} said`}
    >
      {line.first && line.side !== 'in' && author && (
        <Text size="xs" c="dimmed" className={classes.author}>
          {author}
        </Text>
      )}
      <div className={classes.bubbleLine}>
        <div
          className={classes.bubble}
          data-side={line.side}
          data-first={line.first || undefined}
          data-last={line.last || undefined}
        >
          {line.side === 'note' && (
            <Group gap={4} mb={2} fz="xs" fw={600}>
              <IconLock size={12} aria-hidden /> Internal note
            </Group>
          )}
          {message && <ServerContent {...props} message={message} />}
          {unsent && <BubbleContent content={{ kind: 'text', text: unsent.body }} />}
        </div>
        {message && line.side !== 'note' && props.mayAnswer && message.wa_message_id && (
          <Tooltip label="Reply">
            <ActionIcon
              className={classes.replyButton}
              size={32}
              aria-label={`Reply to “${contentLine(message).slice(0, 60)}”`}
              onClick={() => props.actions.reply(message)}
            >
              <IconArrowBackUp size={18} />
            </ActionIcon>
          </Tooltip>
        )}
      </div>
      {message && <ServerFooter {...props} message={message} />}
      {unsent && <LocalFooter {...props} unsent={unsent} />}
    </article>
  );
});

function ServerContent({ message, quoted, contactName, actions }: BubbleProps & { message: Message }) {
  const reactions = readReactions(message.reactions);
  return (
    <>
      {(message.reply_to_message_id || message.reply_to_wa_message_id) && (
        <button
          type="button"
          className={classes.quote}
          disabled={!quoted}
          onClick={() => quoted && actions.jumpTo(quoted.id)}
        >
          <span className={classes.quoteWho}>
            {quoted ? (quoted.direction === 'inbound' ? contactName : 'You') : 'Earlier message'}
          </span>
          <span className={classes.quoteText} dir="auto">
            {quoted ? contentLine(quoted) : 'Scroll up to see what this answers'}
          </span>
        </button>
      )}
      <BubbleContent content={readContent(message)} />
      {reactions.length > 0 && (
        <span className={classes.reactions}>
          <VisuallyHidden>Reactions:</VisuallyHidden>
          {reactions.join(' ')}
        </span>
      )}
    </>
  );
}

function ServerFooter({ line, message, newest, mayAnswer, actions }: BubbleProps & { message: Message }) {
  const failed = message.status === 'failed' && !message.is_uncertain;
  const ours = line.side === 'out';
  if (!line.last && !ours) return null;
  return (
    <div className={classes.meta}>
      <time dateTime={message.occurred_at} title={exactTime(message.occurred_at)}>
        {clockTime(message.occurred_at)}
      </time>
      {ours && <Ticks message={message} withWord={newest || failed || message.is_uncertain} />}
      {failed && (
        <Group gap="xs" className={classes.failure} role="alert">
          <span>{failureWords(message.error_code)}</span>
          {mayAnswer && (
            <Button size="compact-xs" variant="default" onClick={() => actions.retryMessage(message)}>
              Retry
            </Button>
          )}
        </Group>
      )}
    </div>
  );
}

function LocalFooter({ unsent, actions }: BubbleProps & { unsent: Unsent }) {
  if (unsent.state === 'sending') {
    return (
      <div className={classes.meta}>
        <time dateTime={unsent.createdAt}>{clockTime(unsent.createdAt)}</time>
        <Ticks
          withWord
          message={{
            status: 'pending',
            is_uncertain: false,
            sent_at: null,
            delivered_at: null,
            read_at: null,
            failed_at: null,
          }}
        />
      </div>
    );
  }
  return (
    <div className={classes.meta}>
      <Group gap="xs" className={classes.failure} role="alert">
        <span>Not sent. {failureWords(unsent.errorCode ?? null)}</span>
        <Button size="compact-xs" variant="default" onClick={() => actions.retryUnsent(unsent.clientKey)}>
          Retry
        </Button>
        <Button
          size="compact-xs"
          variant="subtle"
          color="gray"
          onClick={() => actions.discardUnsent(unsent.clientKey)}
        >
          {unsent.kind === 'template' ? 'Remove' : 'Back to the text box'}
        </Button>
      </Group>
    </div>
  );
}
