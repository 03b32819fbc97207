import { queryOptions } from '@tanstack/react-query';
import { answer, backend } from '@/lib/supabase';

export function notificationsQuery(orgId: string) {
  return queryOptions({
    queryKey: ['org', orgId, 'notifications'],
    queryFn: () =>
      answer(
        backend()
          .from('notifications')
          .select('id, kind, priority, data, read_at, created_at')
          .eq('org_id', orgId)
          .order('created_at', { ascending: false })
          .order('id', { ascending: false })
          .limit(50),
      ),
  });
}

/** Names of the contacts that notifications and the feed speak of. */
export function contactNamesQuery(orgId: string, ids: string[]) {
  const sorted = [...new Set(ids)].sort();
  return queryOptions({
    queryKey: ['org', orgId, 'contact-names', sorted],
    enabled: sorted.length > 0,
    staleTime: 5 * 60_000,
    queryFn: async () => {
      const rows = await answer(
        backend()
          .from('contacts')
          .select('id, full_name, phone, username')
          .eq('org_id', orgId)
          .in('id', sorted),
      );
      return new Map(rows.map((row) => [row.id, row.full_name ?? row.username ?? row.phone ?? 'a customer']));
    },
  });
}
