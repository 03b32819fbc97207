import { infiniteQueryOptions, queryOptions, useQuery } from '@tanstack/react-query';
import * as z from 'zod/mini';
import { useUser } from '@/features/auth/session';
import { useOrg } from '@/features/tenancy/queries';
import { usePolling } from '@/lib/realtime';
import { answer, backend } from '@/lib/supabase';
import type { Page } from './list-order';
import { CONVERSATION_COLUMNS, type Conversation, conversationSchema, type Tab } from './model';

const PAGE_ROWS = 40;

const conversations = z.array(conversationSchema);

function listOf(orgId: string) {
  return backend().from('conversation_list').select(CONVERSATION_COLUMNS).eq('org_id', orgId);
}

interface Cursor {
  at: string;
  id: string;
}

export function conversationsQuery(orgId: string, tab: Tab, me: string) {
  return infiniteQueryOptions({
    queryKey: ['org', orgId, 'conversations', tab],
    initialPageParam: null as Cursor | null,
    queryFn: async ({ pageParam }): Promise<Page> => {
      let query = listOf(orgId).eq('folder', tab === 'resolved' ? 'resolved' : 'active');
      if (tab === 'mine') query = query.eq('assigned_to', me);
      if (tab === 'unassigned') query = query.is('assigned_to', null);
      if (pageParam) {
        const { at, id } = pageParam;
        query = query.or(`last_message_at.lt."${at}",and(last_message_at.eq."${at}",id.lt.${id})`);
      }
      const found = await answer(
        query
          .order('last_message_at', { ascending: false })
          .order('id', { ascending: false })
          // One more than shown tells whether another page follows.
          .limit(PAGE_ROWS + 1),
      );
      const rows = conversations.parse(found);
      return { rows: rows.slice(0, PAGE_ROWS), hasMore: rows.length > PAGE_ROWS };
    },
    getNextPageParam: (last): Cursor | undefined => {
      const row = last.rows.at(-1);
      return last.hasMore && row ? { at: row.last_message_at, id: row.id } : undefined;
    },
  });
}

export async function fetchConversations(orgId: string, ids: string[]): Promise<Conversation[]> {
  if (ids.length === 0) return [];
  return conversations.parse(await answer(listOf(orgId).in('id', ids)));
}

export function conversationQuery(orgId: string, id: string) {
  return queryOptions({
    queryKey: ['org', orgId, 'conversation', id],
    queryFn: async (): Promise<Conversation> => {
      const [row] = await fetchConversations(orgId, [id]);
      if (!row) throw { code: 'CONVERSATION_001' };
      return row;
    },
  });
}

export interface Found {
  conversation: Conversation;
  /** The part of a message that matched; null when name or number did. */
  snippet: string | null;
}

export const SHORTEST_SEARCH = 2;

export function searchQuery(orgId: string, query: string) {
  return queryOptions({
    queryKey: ['org', orgId, 'conversation-search', query],
    enabled: query.length >= SHORTEST_SEARCH,
    queryFn: async (): Promise<Found[]> => {
      const hits = await answer(
        backend().rpc('search_conversations', { p_org_id: orgId, p_query: query, p_limit: 30 }),
      );
      const rows = await fetchConversations(
        orgId,
        hits.map((hit) => hit.conversation_id),
      );
      const byId = new Map(rows.map((row) => [row.id, row]));
      return hits.flatMap((hit) => {
        const conversation = byId.get(hit.conversation_id);
        return conversation
          ? [{ conversation, snippet: hit.matched === 'message' ? hit.snippet : null }]
          : [];
      });
    },
  });
}

/** Conversations with something unread, for the sidebar. */
export function useUnreadCount(): number {
  const { orgId } = useOrg();
  const polling = usePolling();
  const { data } = useQuery({
    queryKey: ['org', orgId, 'unread-count'],
    refetchInterval: polling,
    queryFn: async () => {
      const { count, error } = await backend()
        .from('conversations')
        .select('id', { count: 'exact', head: true })
        .eq('org_id', orgId)
        .eq('folder', 'active')
        .gt('unread_count', 0);
      if (error) throw error;
      return count ?? 0;
    },
  });
  return data ?? 0;
}

export function useConversation(id: string) {
  const { orgId } = useOrg();
  const polling = usePolling();
  return useQuery({ ...conversationQuery(orgId, id), refetchInterval: polling });
}

export const useMe = () => useUser().id;
