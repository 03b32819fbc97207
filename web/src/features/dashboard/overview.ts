import { queryOptions } from '@tanstack/react-query';
import { backend } from '@/lib/supabase';

async function total(request: PromiseLike<{ count: number | null; error: unknown }>): Promise<number> {
  const { count, error } = await request;
  if (error) throw error;
  return count ?? 0;
}

const DAY_MS = 86_400_000;
const counted = { count: 'exact', head: true } as const;

/** Plain counts of PRD §4.1, asked of the database as they are shown; trends and charts belong to a later issue. */
export function overviewQuery(orgId: string) {
  return queryOptions({
    queryKey: ['org', orgId, 'overview'],
    queryFn: async () => {
      const now = Date.now();
      const contactRows = backend().from('contacts').select('id', counted).eq('org_id', orgId);
      const messageRows = backend().from('messages').select('id', counted).eq('org_id', orgId);
      const conversationRows = () =>
        backend().from('conversations').select('id', counted).eq('org_id', orgId);
      const [contacts, active, messages, unassigned] = await Promise.all([
        total(contactRows.is('deleted_at', null)),
        total(conversationRows().eq('status', 'open').gt('window_expires_at', new Date(now).toISOString())),
        total(
          messageRows.neq('direction', 'internal').gt('created_at', new Date(now - DAY_MS).toISOString()),
        ),
        total(conversationRows().eq('folder', 'active').is('assigned_to', null)),
      ]);
      return { contacts, active, messages, unassigned };
    },
  });
}
