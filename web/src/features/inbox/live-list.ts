import { type InfiniteData, useQueryClient } from '@tanstack/react-query';
import { useCallback, useMemo } from 'react';
import { useOrg } from '@/features/tenancy/queries';
import { gatherIds } from '@/lib/coalesce';
import { eventIds, useTopic } from '@/lib/realtime';
import { mergeRows, type Page } from './list-order';
import { type Conversation, tabs } from './model';
import { conversationQuery, fetchConversations, useMe } from './queries';

/** Writes fresh rows into every list and header that shows them. */
export function useApplyRows(): (rows: Conversation[]) => void {
  const queryClient = useQueryClient();
  const { orgId } = useOrg();
  const me = useMe();
  return useCallback(
    (rows) => {
      for (const tab of tabs) {
        queryClient.setQueryData<InfiniteData<Page>>(['org', orgId, 'conversations', tab], (data) =>
          data ? { ...data, pages: mergeRows(data.pages, rows, tab, me) } : data,
        );
      }
      for (const row of rows) queryClient.setQueryData(conversationQuery(orgId, row.id).queryKey, row);
    },
    [queryClient, orgId, me],
  );
}

/** Keeps the inbox's lists true: reads what an event names, everything after a (re)subscription. */
export function useLiveList(): void {
  const queryClient = useQueryClient();
  const { orgId } = useOrg();
  const apply = useApplyRows();

  const refetchAll = useCallback(() => {
    void queryClient.invalidateQueries({ queryKey: ['org', orgId, 'conversations'] });
    void queryClient.invalidateQueries({ queryKey: ['org', orgId, 'conversation'] });
  }, [queryClient, orgId]);
  const read = useMemo(
    () => gatherIds((ids) => fetchConversations(orgId, ids).then(apply, refetchAll)),
    [orgId, apply, refetchAll],
  );
  useTopic(`org:${orgId}`, {
    onEvent: (event, payload) => {
      if (event !== 'inbox') return;
      const ids = eventIds(payload, 'conversation_ids');
      if (ids === 'all') refetchAll();
      else read(ids);
    },
    onJoined: refetchAll,
  });
}
