import { queryOptions } from '@tanstack/react-query';
import * as z from 'zod/mini';
import { ask, rowsOf, table, tell } from '../api';

// Prices of other kinds that are kept beside these stay as they are.
const price = z.looseObject({
  marketing: z._default(z.coerce.number(), 0),
  utility: z._default(z.coerce.number(), 0),
});
export type Price = Pick<z.infer<typeof price>, 'marketing' | 'utility'>;

const settingsSchema = z.object({
  marketing_cap: z.nullable(z.object({ messages: z.number(), days: z.number() })),
  message_prices: z.nullable(
    z.object({
      currency: z.string(),
      default: z._default(price, { marketing: 0, utility: 0 }),
      countries: z._default(z.record(z.string(), price), {}),
    }),
  ),
});
export type CampaignSettings = z.infer<typeof settingsSchema>;

const none: CampaignSettings = { marketing_cap: null, message_prices: null };

export function campaignSettingsQuery(orgId: string) {
  return queryOptions({
    queryKey: ['org', orgId, 'campaign-settings'],
    queryFn: async () => {
      const rows = await rowsOf<unknown[]>(
        table('campaign_settings').select('marketing_cap, message_prices').eq('org_id', orgId).limit(1),
      );
      return rows[0] ? settingsSchema.parse(rows[0]) : none;
    },
  });
}

export const saveCampaignSettings = (orgId: string, fields: CampaignSettings): Promise<void> =>
  tell('set_campaign_settings', { p_org_id: orgId, p_fields: fields });

export const rotateConversionSecret = (orgId: string): Promise<string> =>
  ask('rotate_conversion_secret', { p_org_id: orgId }, z.string());

/** As the browser knows them, so that no list has to be kept up to date here. */
export const currencies: string[] = Intl.supportedValuesOf('currency');
