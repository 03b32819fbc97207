import { useQueryClient } from '@tanstack/react-query';
import { useCallback, useEffect, useRef, useState } from 'react';
import { describeError } from '@/lib/errors';
import { answer, backend } from '@/lib/supabase';
import { applyMessages, parseMessage } from './messages';
import { readUnsent, type Unsent, writeUnsent } from './outbox';

const MAX_TRIES = 4;

async function deliver(conversationId: string, item: Unsent) {
  const rpc = backend();
  const request =
    item.kind === 'note'
      ? rpc.rpc('add_note', {
          p_conversation_id: conversationId,
          p_body: item.body,
          p_client_key: item.clientKey,
        })
      : rpc.rpc('send_message', {
          p_conversation_id: conversationId,
          p_client_key: item.clientKey,
          ...(item.template
            ? {
                p_type: 'template',
                p_payload: { template_id: item.template.id, values: item.template.values },
              }
            : { p_body: item.body, ...(item.replyTo ? { p_reply_to: item.replyTo } : {}) }),
        });
  return parseMessage(await answer(request));
}

/** Repeating is safe: the same key never makes a second message. */
async function deliverPatiently(conversationId: string, item: Unsent) {
  for (let attempt = 1; ; attempt += 1) {
    try {
      return await deliver(conversationId, item);
    } catch (error) {
      if (attempt >= MAX_TRIES || !describeError(error).retryable) throw error;
      await new Promise((resolve) => setTimeout(resolve, 500 * 2 ** attempt));
    }
  }
}

/** The messages of one conversation that the person sent and the database has not confirmed yet. */
export function useSending(userId: string, conversationId: string) {
  const queryClient = useQueryClient();
  const [items, setItems] = useState<Unsent[]>(() => readUnsent(userId, conversationId));
  const current = useRef(items);
  const inFlight = useRef(new Set<string>());

  const update = useCallback(
    (change: (items: Unsent[]) => Unsent[]) => {
      // Read again: another tab may have sent from the same conversation.
      const stored = readUnsent(userId, conversationId);
      current.current = change(stored);
      writeUnsent(userId, conversationId, current.current);
      setItems(current.current);
    },
    [userId, conversationId],
  );

  const start = useCallback(
    async (item: Unsent) => {
      if (inFlight.current.has(item.clientKey)) return;
      inFlight.current.add(item.clientKey);
      try {
        const message = await deliverPatiently(conversationId, item);
        applyMessages(queryClient, conversationId, [message]);
        update((all) => all.filter((each) => each.clientKey !== item.clientKey));
      } catch (error) {
        const { code } = describeError(error);
        update((all) =>
          all.map((each) =>
            each.clientKey === item.clientKey ? { ...each, state: 'failed', errorCode: code } : each,
          ),
        );
      } finally {
        inFlight.current.delete(item.clientKey);
      }
    },
    [conversationId, queryClient, update],
  );

  // What a reload or a crash interrupted goes on; what failed waits for the person.
  useEffect(() => {
    for (const item of readUnsent(userId, conversationId)) if (item.state === 'sending') void start(item);
  }, [userId, conversationId, start]);

  const send = useCallback(
    (message: Pick<Unsent, 'kind' | 'body' | 'replyTo' | 'template'>) => {
      const item: Unsent = {
        ...message,
        clientKey: crypto.randomUUID(),
        createdAt: new Date().toISOString(),
        state: 'sending',
      };
      update((all) => [...all, item]);
      void start(item);
    },
    [start, update],
  );

  const retry = useCallback(
    (clientKey: string) => {
      const item = readUnsent(userId, conversationId).find((each) => each.clientKey === clientKey);
      if (!item) return;
      const again: Unsent = { ...item, state: 'sending', errorCode: undefined };
      update((all) => all.map((each) => (each.clientKey === clientKey ? again : each)));
      void start(again);
    },
    [userId, conversationId, start, update],
  );

  const discard = useCallback(
    (clientKey: string) => update((all) => all.filter((each) => each.clientKey !== clientKey)),
    [update],
  );

  return { unsent: items, send, retry, discard };
}
