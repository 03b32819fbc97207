import { useQueryClient } from '@tanstack/react-query';
import { useMemo } from 'react';
import { throttle } from '@/lib/coalesce';
import { useTopic } from '@/lib/realtime';

/** Members move in bursts (an import, a bulk change); the page follows this often. */
const REFRESH_MS = 1_000;

/** Keeps what a page shows of segments as fresh as the database, which says when membership or rules have changed. */
export function useSegmentsLive(orgId: string): void {
  const queryClient = useQueryClient();
  const refresh = useMemo(
    () =>
      throttle(
        () => void queryClient.invalidateQueries({ queryKey: ['org', orgId, 'segments'] }),
        REFRESH_MS,
      ),
    [queryClient, orgId],
  );
  useTopic(`org:${orgId}`, {
    onEvent: (event) => {
      if (event === 'segments') refresh();
    },
    onJoined: refresh,
  });
}
