import {
  type InfiniteData,
  infiniteQueryOptions,
  type QueryClient,
  useInfiniteQuery,
  useQueryClient,
} from '@tanstack/react-query';
import { useCallback, useMemo } from 'react';
import * as z from 'zod/mini';
import { gatherIds } from '@/lib/coalesce';
import { eventIds, usePolling } from '@/lib/realtime';
import { answer, backend } from '@/lib/supabase';
import { compareTimes } from '@/lib/time';
import { MESSAGE_COLUMNS, type Message, messageSchema } from './model';

const PAGE_MESSAGES = 50;

const messages = z.array(messageSchema);

interface MessagePage {
  /** Newest first, as fetched. */
  messages: Message[];
  hasMore: boolean;
}

interface Cursor {
  at: string;
  id: string;
}

const thread = (conversationId: string) =>
  backend().from('messages').select(MESSAGE_COLUMNS).eq('conversation_id', conversationId);

export function messagesQuery(conversationId: string) {
  return infiniteQueryOptions({
    queryKey: ['messages', conversationId],
    staleTime: 60_000,
    initialPageParam: null as Cursor | null,
    queryFn: async ({ pageParam }): Promise<MessagePage> => {
      let query = thread(conversationId);
      if (pageParam) {
        const { at, id } = pageParam;
        query = query.or(`occurred_at.lt."${at}",and(occurred_at.eq."${at}",id.lt.${id})`);
      }
      const found = messages.parse(
        await answer(
          query
            .order('occurred_at', { ascending: false })
            .order('id', { ascending: false })
            .limit(PAGE_MESSAGES + 1),
        ),
      );
      return { messages: found.slice(0, PAGE_MESSAGES), hasMore: found.length > PAGE_MESSAGES };
    },
    getNextPageParam: (last): Cursor | undefined => {
      const oldest = last.messages.at(-1);
      return last.hasMore && oldest ? { at: oldest.occurred_at, id: oldest.id } : undefined;
    },
  });
}

const newestFirst = (a: Message, b: Message) =>
  compareTimes(b.occurred_at, a.occurred_at) || (a.id < b.id ? 1 : -1);

/** Puts new and changed messages into the pages already loaded; the newest page takes what is new. */
export function mergeMessages(pages: MessagePage[], changed: Message[]): MessagePage[] {
  const last = pages.at(-1);
  if (!last) return pages;
  const ids = new Set(changed.map((message) => message.id));
  const kept = pages.flatMap((page) => page.messages).filter((message) => !ids.has(message.id));
  const oldest = pages.flatMap((page) => page.messages).at(-1);
  const fitting = changed.filter((message) => !last.hasMore || !oldest || newestFirst(message, oldest) <= 0);
  const all = [...kept, ...fitting].sort(newestFirst);
  // Older pages keep their length, so that the newest takes what was added.
  let start = all.length;
  return pages
    .map((page, index) => ({ page, index }))
    .reverse()
    .map(({ page, index }) => {
      const from = index === 0 ? 0 : Math.max(0, start - page.messages.length);
      const slice = all.slice(from, start);
      start = from;
      return { messages: slice, hasMore: page.hasMore };
    })
    .reverse();
}

export function applyMessages(queryClient: QueryClient, conversationId: string, changed: Message[]): void {
  queryClient.setQueryData<InfiniteData<MessagePage, Cursor | null>>(
    messagesQuery(conversationId).queryKey,
    (data) => (data ? { ...data, pages: mergeMessages(data.pages, changed) } : data),
  );
}

export const parseMessage = (value: unknown): Message => messageSchema.parse(value);

export function useMessages(conversationId: string) {
  const queryClient = useQueryClient();
  const polling = usePolling();
  const query = useInfiniteQuery({ ...messagesQuery(conversationId), refetchInterval: polling });
  const refetchAll = useCallback(
    () => void queryClient.invalidateQueries({ queryKey: messagesQuery(conversationId).queryKey }),
    [queryClient, conversationId],
  );
  const read = useMemo(
    () =>
      gatherIds((ids) =>
        answer(thread(conversationId).in('id', ids))
          .then((rows) => applyMessages(queryClient, conversationId, messages.parse(rows)))
          .catch(refetchAll),
      ),
    [queryClient, conversationId, refetchAll],
  );
  const onEvent = (event: string, payload: Record<string, unknown>) => {
    if (event !== 'messages') return;
    const ids = eventIds(payload, 'message_ids');
    if (ids === 'all') refetchAll();
    else read(ids);
  };
  const ordered = useMemo(
    () => (query.data?.pages ?? []).flatMap((page) => page.messages).reverse(),
    [query.data],
  );
  return { ...query, messages: ordered, onEvent, refetchAll };
}
