import { ActionIcon, CloseButton, Text, Textarea, Tooltip } from '@mantine/core';
import { notifications } from '@mantine/notifications';
import { IconSend2, IconTemplate } from '@tabler/icons-react';
import { type KeyboardEvent, Suspense, useEffect, useImperativeHandle, useRef, useState } from 'react';
import type { ChosenTemplate } from '@/features/templates/send/send-template';
import { useNow } from '@/lib/clock';
import { lazyPart } from '@/lib/lazy-part';
import classes from './chat.module.css';
import { ClosedWindow } from './closed-window';
import { contentLine } from './content';
import { type Draft, readDraft, writeDraft } from './drafts';
import type { Conversation, Message } from './model';
import { windowState, windowStep } from './window';

const LONGEST = 4_096;

const SendTemplate = lazyPart(
  async () => (await import('@/features/templates/send/send-template')).SendTemplate,
);

export interface ComposerHandle {
  focus: () => void;
  replyTo: (message: Message) => void;
  /** Puts the text of a message that could not be sent back for another try. */
  restore: (text: string, mode: Draft['mode']) => void;
  chooseTemplate: () => void;
}

interface ComposerProps {
  ref: React.Ref<ComposerHandle>;
  userId: string;
  conversation: Conversation;
  /** Why nothing can go to the customer, besides a closed window. */
  blocked?: string;
  findMessage: (id: string) => Message | undefined;
  onSend: (message: { kind: 'text' | 'note'; body: string; replyTo?: string }) => void;
  onSendTemplate: (chosen: ChosenTemplate) => void;
  /** The account whose templates may be sent. */
  wabaId?: string;
  onTyping: () => void;
  onStopped: () => void;
}

export function Composer({
  ref,
  userId,
  conversation,
  blocked,
  findMessage,
  onSend,
  onSendTemplate,
  wabaId,
  onTyping,
  onStopped,
}: ComposerProps) {
  const [draft, setDraft] = useState(() => readDraft(userId, conversation.id));
  const [choosing, setChoosing] = useState(false);
  const box = useRef<HTMLTextAreaElement>(null);
  const now = useNow(windowStep(conversation.window_expires_at, Date.now()));
  const closed = windowState(conversation.window_expires_at, now).level === 'closed';
  const note = draft.mode === 'note';
  const mayWrite = note || !(closed || blocked);
  const tooLong = draft.text.length > LONGEST;

  const change = (next: Partial<Draft>) => setDraft((old) => ({ ...old, ...next }));
  useEffect(() => writeDraft(userId, conversation.id, draft), [userId, conversation.id, draft]);
  useWarnWhenClosing(closed, !note && draft.text.trim() !== '');

  const focusSoon = () => requestAnimationFrame(() => box.current?.focus());
  useImperativeHandle(ref, () => ({
    focus: focusSoon,
    replyTo: (message) => {
      change({ replyTo: message.id, mode: 'reply' });
      focusSoon();
    },
    restore: (text, mode) => {
      setDraft((old) => ({ ...old, mode, text: old.text ? `${old.text}\n${text}` : text }));
      focusSoon();
    },
    chooseTemplate: () => {
      if (!blocked) setChoosing(true);
    },
  }));

  const send = () => {
    const body = draft.text.trim();
    if (!body || tooLong || !mayWrite) return;
    onSend({ kind: note ? 'note' : 'text', body, replyTo: note ? undefined : draft.replyTo });
    onStopped();
    setDraft({ text: '', mode: draft.mode });
    box.current?.focus();
  };
  const onKeyDown = (event: KeyboardEvent) => {
    // While an input method composes a word (Chinese, Japanese…), Enter chooses it.
    if (event.key === 'Enter' && !event.shiftKey && !event.nativeEvent.isComposing) {
      event.preventDefault();
      send();
    }
    if (event.key === 'Escape') box.current?.blur();
  };

  const quoted = draft.replyTo && !note ? findMessage(draft.replyTo) : undefined;
  return (
    <section
      className={classes.composer}
      data-mode={draft.mode}
      aria-label={note ? 'Write an internal note' : 'Write a reply'}
    >
      <ModeChoice
        mode={draft.mode}
        onChange={(mode) => {
          change({ mode });
          onStopped();
          focusSoon();
        }}
      />
      {quoted && mayWrite && (
        <div className={classes.replying}>
          <Text size="sm" truncate flex={1} dir="auto">
            Replying to “{contentLine(quoted)}”
          </Text>
          <CloseButton
            size="sm"
            aria-label="Don’t quote this message"
            onClick={() => change({ replyTo: undefined })}
          />
        </div>
      )}
      {!note && (blocked || closed) ? (
        <ClosedWindow
          conversation={conversation}
          blocked={blocked}
          draft={draft.text}
          onTemplate={() => setChoosing(true)}
        />
      ) : (
        <div className={classes.composerBox}>
          {!note && (
            <Tooltip label="Send a template (t)">
              <ActionIcon
                size={44}
                radius="xl"
                aria-label="Send a template"
                onClick={() => setChoosing(true)}
              >
                <IconTemplate size={20} />
              </ActionIcon>
            </Tooltip>
          )}
          <Textarea
            ref={box}
            flex={1}
            autosize
            minRows={1}
            maxRows={5}
            size="md"
            radius="lg"
            dir="auto"
            aria-label={note ? 'Internal note' : 'Message'}
            placeholder={note ? 'Only your team sees this' : 'Write a message'}
            value={draft.text}
            onChange={(event) => {
              change({ text: event.currentTarget.value });
              if (!note && event.currentTarget.value) onTyping();
            }}
            onKeyDown={onKeyDown}
            onBlur={onStopped}
            error={tooLong ? `${draft.text.length - LONGEST} characters too many` : undefined}
          />
          <Tooltip label={note ? 'Add the note (Enter)' : 'Send (Enter)'}>
            <ActionIcon
              variant="filled"
              color="brand"
              size={44}
              radius="xl"
              aria-label={note ? 'Add the note' : 'Send'}
              disabled={!draft.text.trim() || tooLong}
              onClick={send}
            >
              <IconSend2 size={20} />
            </ActionIcon>
          </Tooltip>
        </div>
      )}
      <Suspense fallback={null}>
        {choosing && (
          <SendTemplate
            to={{ name: conversation.contact_name }}
            wabaId={wabaId}
            onSend={onSendTemplate}
            onClose={() => setChoosing(false)}
          />
        )}
      </Suspense>
    </section>
  );
}

const modes = [
  { value: 'reply', label: 'Reply' },
  { value: 'note', label: 'Internal note' },
] as const;

function ModeChoice({ mode, onChange }: { mode: Draft['mode']; onChange: (mode: Draft['mode']) => void }) {
  return (
    <fieldset className={classes.modes}>
      <legend className={classes.hiddenLegend}>What to write</legend>
      {modes.map(({ value, label }) => (
        <label key={value} className={classes.mode} data-active={mode === value || undefined}>
          <input
            type="radio"
            name="composer-mode"
            checked={mode === value}
            onChange={() => onChange(value)}
          />
          {label}
        </label>
      ))}
    </fieldset>
  );
}

function useWarnWhenClosing(closed: boolean, writing: boolean) {
  const wasClosed = useRef(closed);
  useEffect(() => {
    if (closed && !wasClosed.current && writing) {
      notifications.show({
        color: 'yellow',
        title: 'The 24-hour window just closed',
        message: 'Your text is kept. You can send it when the customer writes again.',
        autoClose: 10_000,
      });
    }
    wasClosed.current = closed;
  }, [closed, writing]);
}
