import { useMutation, useQueryClient } from '@tanstack/react-query';
import { useNavigate } from '@tanstack/react-router';
import { tellProblem } from '@/lib/tell';
import type { Campaign } from './model';
import { campaignKey, duplicateCampaign } from './queries';

/** Makes a copy of a campaign and goes on to edit it. */
export function useDuplicate(campaign: Campaign) {
  const navigate = useNavigate();
  const queryClient = useQueryClient();
  return useMutation({
    mutationFn: () => duplicateCampaign(campaign.id),
    onSuccess: (copy) => {
      void queryClient.invalidateQueries({ queryKey: campaignKey(campaign.org_id, 'list') });
      void navigate({ to: '/campaigns/$campaignId/edit', params: { campaignId: copy.id } });
    },
    onError: tellProblem,
  });
}
