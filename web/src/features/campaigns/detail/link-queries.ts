import { keepPreviousData, queryOptions } from '@tanstack/react-query';
import * as z from 'zod/mini';
import { ask } from '../api';
import { campaignKey } from '../queries';

const linksSchema = z.array(
  z.object({
    variant: z.number(),
    button: z.number(),
    destination: z.string(),
    people: z.coerce.number(),
    clicks: z.coerce.number(),
  }),
);

/** Asked anew when the campaign's own count of clicks has moved. */
export function linksQuery(orgId: string, campaignId: string, clicked: number) {
  return queryOptions({
    queryKey: campaignKey(orgId, 'links', campaignId, clicked),
    staleTime: 30_000,
    placeholderData: keepPreviousData,
    queryFn: ({ signal }) => ask('campaign_links', { p_id: campaignId }, linksSchema, signal),
  });
}
