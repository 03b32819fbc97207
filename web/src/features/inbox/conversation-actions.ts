import { notifications } from '@mantine/notifications';
import { useQueryClient } from '@tanstack/react-query';
import { useOrg } from '@/features/tenancy/queries';
import { wordsFor } from '@/lib/errors';
import { answer, backend } from '@/lib/supabase';
import { useApplyRows } from './live-list';
import type { Conversation } from './model';
import { conversationQuery, fetchConversations } from './queries';

/** What a person does to a conversation: shown at once, put back with a word when the database says no. */
export function useConversationActions() {
  const { orgId } = useOrg();
  const queryClient = useQueryClient();
  const apply = useApplyRows();

  const act = async (
    row: Conversation,
    change: Partial<Conversation>,
    request: () => PromiseLike<{ data: unknown; error: unknown }>,
  ) => {
    apply([{ ...row, ...change }]);
    try {
      await answer(request());
    } catch (error) {
      apply([row]);
      notifications.show({ color: 'red', message: wordsFor(error) });
      return false;
    }
    try {
      apply(await fetchConversations(orgId, [row.id]));
    } catch {
      void queryClient.invalidateQueries({ queryKey: conversationQuery(orgId, row.id).queryKey });
    }
    void queryClient.invalidateQueries({ queryKey: ['org', orgId, 'unread-count'] });
    return true;
  };
  const id = (row: Conversation) => ({ p_conversation_id: row.id });

  const reopen = (row: Conversation) =>
    act(row, { status: 'open', folder: 'active', snoozed_until: null }, () =>
      backend().rpc('reopen_conversation', id(row)),
    );

  return {
    assign: (row: Conversation, userId: string | null) =>
      act(row, { assigned_to: userId }, () =>
        // The generated type knows no null for parameters; the function takes null as "nobody".
        backend().rpc('assign_conversation', { ...id(row), p_user_id: userId as string }),
      ),
    reopen,
    resolve: async (row: Conversation) => {
      const done = await act(row, { status: 'resolved', folder: 'resolved', snoozed_until: null }, () =>
        backend().rpc('resolve_conversation', id(row)),
      );
      return done ? { undo: () => reopen({ ...row, status: 'resolved', folder: 'resolved' }) } : undefined;
    },
    snooze: (row: Conversation, until: Date) =>
      act(row, { status: 'pending', snoozed_until: until.toISOString() }, () =>
        backend().rpc('snooze_conversation', { ...id(row), p_until: until.toISOString() }),
      ),
    markRead: (row: Conversation) =>
      act(row, { unread_count: 0 }, () => backend().rpc('mark_conversation_read', id(row))),
    markUnread: (row: Conversation) =>
      act(row, { unread_count: Math.max(1, row.unread_count) }, () =>
        backend().rpc('mark_conversation_unread', id(row)),
      ),
  };
}
