import { useQueryClient } from '@tanstack/react-query';
import { useMemo } from 'react';
import { throttle } from '@/lib/coalesce';
import { useTopic } from '@/lib/realtime';
import { templatesKey } from './queries';

/** A sync with Meta touches many templates in a burst; pages follow this often. */
const REFRESH_MS = 1_000;

/** Keeps what is shown of templates as fresh as the database, which says when one has changed. */
export function useTemplatesLive(orgId: string): void {
  const queryClient = useQueryClient();
  const refresh = useMemo(
    () => throttle(() => void queryClient.invalidateQueries({ queryKey: templatesKey(orgId) }), REFRESH_MS),
    [queryClient, orgId],
  );
  useTopic(`org:${orgId}`, {
    onEvent: (event) => {
      if (event === 'templates') refresh();
    },
    onJoined: refresh,
  });
}
