import { useQueryClient } from '@tanstack/react-query';
import { useMemo } from 'react';
import { useOrg } from '@/features/tenancy/queries';
import { throttle } from '@/lib/coalesce';
import { eventIds, useTopic } from '@/lib/realtime';
import { contactKey } from './queries';

/** An import touches thousands of rows; the list follows it at this pace. */
const LIST_MS = 1_000;

/** Keeps the list, and one contact when named, as the database has them now. */
export function useLiveContacts(contactId?: string): void {
  const queryClient = useQueryClient();
  const { orgId } = useOrg();
  const refresh = useMemo(() => {
    const again = (...key: string[]) =>
      void queryClient.invalidateQueries({ queryKey: ['org', orgId, ...key] });
    return {
      list: throttle(() => again('contacts'), LIST_MS),
      one: contactId
        ? throttle(
            () => void queryClient.invalidateQueries({ queryKey: contactKey(orgId, contactId) }),
            LIST_MS,
          )
        : undefined,
    };
  }, [queryClient, orgId, contactId]);
  useTopic(`org:${orgId}`, {
    onEvent: (event, payload) => {
      if (event !== 'contacts') return;
      refresh.list();
      const ids = eventIds(payload, 'contact_ids');
      if (contactId && (ids === 'all' || ids.includes(contactId))) refresh.one?.();
    },
    onJoined: () => {
      refresh.list();
      refresh.one?.();
    },
  });
}
