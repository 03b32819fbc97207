import { useQueryClient } from '@tanstack/react-query';
import { useMemo } from 'react';
import { useUser } from '@/features/auth/session';
import { useOrg } from '@/features/tenancy/queries';
import { throttle } from '@/lib/coalesce';
import { useTopic } from '@/lib/realtime';

/** Counts may lag a busy inbox by this much; its rows and messages do not wait. */
const COUNTS_MS = 1_000;
/** The feed also tells of every message; who works here changes a few times a year. */
const PEOPLE_MS = 30_000;

/** What the organisation's topic says about everything but the inbox lists, which listen themselves. */
export function useLiveUpdates(): void {
  const queryClient = useQueryClient();
  const { orgId } = useOrg();
  const user = useUser();
  const refresh = useMemo(() => {
    const all = (...what: string[]) => {
      for (const each of what) void queryClient.invalidateQueries({ queryKey: ['org', orgId, each] });
    };
    return {
      all,
      counts: throttle(() => all('unread-count', 'overview'), COUNTS_MS),
      people: throttle(() => all('members', 'invitations'), PEOPLE_MS),
    };
  }, [queryClient, orgId]);

  useTopic(`org:${orgId}`, {
    onEvent: (event) => {
      if (event === 'inbox') refresh.counts();
      if (event === 'account') refresh.all('whatsapp-accounts');
      if (event === 'activity') refresh.people();
    },
    onJoined: () => refresh.all('unread-count', 'overview', 'whatsapp-accounts', 'members', 'invitations'),
  });
  useTopic(`user:${user.id}`, {
    onEvent: () => refresh.all('notifications'),
    onJoined: () => refresh.all('notifications'),
  });
}
