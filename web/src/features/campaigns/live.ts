import { useQueryClient } from '@tanstack/react-query';
import { useMemo } from 'react';
import { throttle } from '@/lib/coalesce';
import { eventIds, useTopic } from '@/lib/realtime';
import { campaignKey } from './queries';

/** A sending campaign says once a second that it moved; pages follow at that pace. */
const REFRESH_MS = 1_000;

/** Keeps the list, or one campaign when named, as the database has it now. */
export function useCampaignsLive(orgId: string, campaignId?: string): void {
  const queryClient = useQueryClient();
  const refresh = useMemo(
    () =>
      throttle(
        () =>
          void queryClient.invalidateQueries({
            queryKey: campaignId ? campaignKey(orgId, 'one', campaignId) : campaignKey(orgId, 'list'),
          }),
        REFRESH_MS,
      ),
    [queryClient, orgId, campaignId],
  );
  useTopic(`org:${orgId}`, {
    onEvent: (event, payload) => {
      if (event !== 'campaigns') return;
      const ids = eventIds(payload, 'campaign_ids');
      if (!campaignId || ids === 'all' || ids.includes(campaignId)) refresh();
    },
    onJoined: refresh,
  });
}
