import { Center } from '@mantine/core';
import { notifications } from '@mantine/notifications';
import { useQuery, useQueryClient } from '@tanstack/react-query';
import { useEffect, useRef, useState } from 'react';
import { LoadProblem } from '@/components/problem';
import { useMembers, useOrg } from '@/features/tenancy/queries';
import { accountsQuery, type WhatsAppAccount } from '@/features/whatsapp/queries';
import { wordsFor } from '@/lib/errors';
import { useTopic } from '@/lib/realtime';
import { answer, backend } from '@/lib/supabase';
import { useShortcuts } from '@/shell/shortcuts';
import classes from './chat.module.css';
import { ChatAnnouncer } from './chat-announcer';
import { ChatHeader, type HeaderActions } from './chat-header';
import { Composer, type ComposerHandle } from './composer';
import { useConversationActions } from './conversation-actions';
import { MessageList, ThreadSkeleton } from './message-list';
import { applyMessages, parseMessage, useMessages } from './messages';
import { type Conversation, displayName, type Message } from './model';
import { useConversation, useMe } from './queries';
import { useSending } from './sending';
import { firstUnread } from './thread';
import { typingWords, useTyping } from './typing';

interface ChatProps {
  conversationId: string;
  panelOpen: boolean;
  onTogglePanel: () => void;
  onClose: () => void;
  onResolved: () => void;
}

export function Chat(props: ChatProps) {
  const conversation = useConversation(props.conversationId);
  if (conversation.isPending) {
    return (
      <section className={classes.chat} aria-label="Conversation">
        <div className={classes.header} />
        <ThreadSkeleton />
      </section>
    );
  }
  if (!conversation.data) {
    return (
      <Center className={classes.chat}>
        <LoadProblem
          error={conversation.error}
          what="this conversation"
          onRetry={() => void conversation.refetch()}
        />
      </Center>
    );
  }
  return <OpenChat {...props} conversation={conversation.data} />;
}

function OpenChat({
  conversation,
  panelOpen,
  onTogglePanel,
  onClose,
  onResolved,
}: ChatProps & { conversation: Conversation }) {
  const org = useOrg();
  const me = useMe();
  const queryClient = useQueryClient();
  const members = useMembers();
  const actions = useConversationActions();
  const composer = useRef<ComposerHandle>(null);
  const [assignOpen, setAssignOpen] = useState(false);
  const mayAnswer = org.can('inbox.answer');
  const name = displayName(conversation);
  const topic = `conversation:${conversation.id}`;

  const messages = useMessages(conversation.id);
  const sending = useSending(me, conversation.id);
  const myName = members.data?.find((member) => member.userId === me)?.name ?? 'A colleague';
  const typing = useTyping(topic, { user_id: me, full_name: myName });
  useTopic(
    topic,
    {
      onEvent: messages.onEvent,
      onPresence: typing.onPresence,
      onJoined: () => {
        messages.refetchAll();
        typing.onJoined();
      },
    },
    me,
  );
  const unread = useUnreadLine(conversation, messages.messages, messages.isSuccess);
  useMarkRead(conversation, mayAnswer && messages.isSuccess, () => void actions.markRead(conversation));
  const account = useAccount(conversation);
  const blocked = mayAnswer ? blockedWords(account) : undefined;

  const header: HeaderActions = {
    assign: (userId) => void actions.assign(conversation, userId),
    reopen: () => void actions.reopen(conversation),
    snooze: (until) => void actions.snooze(conversation, until),
    markUnread: () => {
      void actions.markUnread(conversation);
      onClose();
    },
    resolve: async () => {
      onResolved();
      const done = await actions.resolve(conversation);
      if (done) offerUndo(name, done.undo);
    },
    back: onClose,
    togglePanel: onTogglePanel,
  };
  useShortcuts(
    'Conversation',
    mayAnswer
      ? [
          { keys: 'r', label: 'Reply', run: () => composer.current?.focus() },
          { keys: 't', label: 'Send a template', run: () => composer.current?.chooseTemplate() },
          { keys: 'a', label: 'Assign', run: () => setAssignOpen(true) },
          conversation.status === 'resolved'
            ? { keys: 'e', label: 'Reopen', run: header.reopen }
            : { keys: 'e', label: 'Resolve', run: header.resolve },
          { keys: 'u', label: 'Mark as unread', run: header.markUnread },
        ]
      : [],
  );

  const retryMessage = async (message: Message) => {
    applyMessages(queryClient, conversation.id, [{ ...message, status: 'pending', error_code: null }]);
    try {
      const retried = await answer(backend().rpc('retry_message', { p_message_id: message.id }));
      applyMessages(queryClient, conversation.id, [parseMessage(retried)]);
    } catch (error) {
      applyMessages(queryClient, conversation.id, [message]);
      notifications.show({ color: 'red', message: wordsFor(error) });
    }
  };

  return (
    <section className={classes.chat} aria-label={`Conversation with ${name}`}>
      <ChatHeader
        conversation={conversation}
        me={me}
        mayAnswer={mayAnswer}
        panelOpen={panelOpen}
        assignOpen={assignOpen}
        onAssignOpen={setAssignOpen}
        actions={header}
      />
      <MessageList
        query={messages}
        unsent={sending.unsent}
        unread={unread}
        contactName={name}
        me={me}
        mayAnswer={mayAnswer}
        actions={{
          reply: (message) => composer.current?.replyTo(message),
          retryMessage: (message) => void retryMessage(message),
          retryUnsent: sending.retry,
          discardUnsent: (clientKey) => {
            const item = sending.unsent.find((each) => each.clientKey === clientKey);
            sending.discard(clientKey);
            if (item && item.kind !== 'template')
              composer.current?.restore(item.body, item.kind === 'note' ? 'note' : 'reply');
          },
        }}
      />
      <ChatAnnouncer messages={messages.messages} contactName={name} />
      <div className={classes.typing} role="status">
        {typingWords(typing.typing)}
      </div>
      {mayAnswer && (
        <Composer
          ref={composer}
          userId={me}
          conversation={conversation}
          blocked={blocked}
          findMessage={(id) => messages.messages.find((message) => message.id === id)}
          onSend={sending.send}
          onSendTemplate={({ id, values, body }) =>
            sending.send({ kind: 'template', body, template: { id, values } })
          }
          wabaId={account?.waba_id}
          onTyping={typing.keyPressed}
          onStopped={typing.stopped}
        />
      )}
    </section>
  );
}

/** Where reading stopped is remembered from the moment the conversation was opened, while the count itself goes to 0. */
function useUnreadLine(conversation: Conversation, messages: Message[], loaded: boolean) {
  const [line, setLine] = useState<{ from?: string; count: number }>();
  const atOpening = useRef(conversation.unread_count);
  useEffect(() => {
    if (!line && loaded)
      setLine({ from: firstUnread(messages, atOpening.current), count: atOpening.current });
  }, [line, loaded, messages]);
  return line ?? { count: 0 };
}

/** Read means seen: only while this tab is in front. */
function useMarkRead(conversation: Conversation, enabled: boolean, markRead: () => void) {
  const latest = useRef(markRead);
  useEffect(() => {
    latest.current = markRead;
  });
  const unread = conversation.unread_count > 0;
  useEffect(() => {
    if (!enabled || !unread) return;
    const mark = () => {
      if (document.visibilityState === 'visible') latest.current();
    };
    mark();
    document.addEventListener('visibilitychange', mark);
    return () => document.removeEventListener('visibilitychange', mark);
  }, [enabled, unread]);
}

/** The number this conversation goes through; undefined until it is known, null when it is gone. */
function useAccount(conversation: Conversation): WhatsAppAccount | null | undefined {
  const { orgId } = useOrg();
  const accounts = useQuery(accountsQuery(orgId));
  return (
    accounts.data && (accounts.data.find((each) => each.id === conversation.whatsapp_account_id) ?? null)
  );
}

function blockedWords(account: WhatsAppAccount | null | undefined): string | undefined {
  if (!account || account.status === 'connected') return undefined;
  if (account.status === 'connecting')
    return 'The WhatsApp number is still being connected. You can answer in a moment.';
  return 'This WhatsApp number isn’t connected, so nothing can be sent. An owner or admin can connect it in Settings.';
}

const UNDO_MS = 8_000;

function offerUndo(name: string, undo: () => void) {
  const id = notifications.show({
    autoClose: UNDO_MS,
    color: 'green',
    message: (
      <>
        Resolved the conversation with {name}.{' '}
        <button
          type="button"
          className="op-link-button"
          onClick={() => {
            undo();
            notifications.hide(id);
          }}
        >
          Undo
        </button>
      </>
    ),
  });
}
