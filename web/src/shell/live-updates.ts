import { useQueryClient } from '@tanstack/react-query';
import { useUser } from '@/features/auth/session';
import { useOrg } from '@/features/tenancy/queries';
import { useTopic } from '@/lib/realtime';

/** What the organisation's topic says about everything but the inbox lists, which listen themselves. */
export function useLiveUpdates(): void {
  const queryClient = useQueryClient();
  const { orgId } = useOrg();
  const user = useUser();
  const refresh = (...what: string[]) => {
    for (const each of what) void queryClient.invalidateQueries({ queryKey: ['org', orgId, each] });
  };

  useTopic(`org:${orgId}`, {
    onEvent: (event) => {
      if (event === 'inbox') refresh('unread-count', 'overview');
      if (event === 'account') refresh('whatsapp-accounts');
      if (event === 'activity') refresh('activity', 'overview', 'members', 'invitations');
    },
    onJoined: () => refresh('unread-count', 'overview', 'whatsapp-accounts', 'activity'),
  });
  useTopic(`user:${user.id}`, {
    onEvent: () => refresh('notifications'),
    onJoined: () => refresh('notifications'),
  });
}
