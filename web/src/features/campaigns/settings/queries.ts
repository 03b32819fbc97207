import { queryOptions } from '@tanstack/react-query';
import * as z from 'zod/mini';
import { ask, rowsOf, table, tell } from '../api';

// Prices of other kinds that are kept beside these stay as they are.
const price = z.looseObject({
  marketing: z._default(z.nullable(z.coerce.number()), null),
  utility: z._default(z.nullable(z.coerce.number()), null),
});
/** Null: not given. A country then costs what everywhere else does. */
export type Price = Pick<z.infer<typeof price>, 'marketing' | 'utility'>;

/** As set_campaign_settings has it: 1,000,000 of any currency. */
export const HIGHEST_PRICE = 1_000_000;

const settingsSchema = z.object({
  marketing_cap: z.nullable(z.object({ messages: z.number(), days: z.number() })),
  message_prices: z.nullable(
    z.object({
      currency: z.string(),
      // What is not given here costs nothing, as the database counts it.
      default: z.pipe(
        z._default(price, { marketing: 0, utility: 0 }),
        z.transform(({ marketing, utility, ...rest }) => ({
          ...rest,
          marketing: marketing ?? 0,
          utility: utility ?? 0,
        })),
      ),
      countries: z._default(z.record(z.string(), price), {}),
    }),
  ),
});
type Saved = z.infer<typeof settingsSchema>;

/** As the page shows them: a number is null while its field is empty. */
export interface CampaignSettings {
  marketing_cap: { messages: number | null; days: number | null } | null;
  message_prices: (Omit<NonNullable<Saved['message_prices']>, 'default'> & { default: Price }) | null;
}

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

/** Whether a number lacks that has to be there. */
export function isUnfinished({ marketing_cap: cap, message_prices: prices }: CampaignSettings): boolean {
  const needed = [
    ...(cap ? [cap.messages, cap.days] : []),
    ...(prices ? [prices.default.marketing, prices.default.utility] : []),
  ];
  return needed.includes(null);
}

export function saveCampaignSettings(orgId: string, settings: CampaignSettings): Promise<void> {
  const { message_prices: prices } = settings;
  const countries = Object.entries(prices?.countries ?? {}).map(([country, price]) => [
    country,
    // A price that is not given is not there: null is none to the database.
    Object.fromEntries(Object.entries(price).filter(([, each]) => each !== null)),
  ]);
  return tell('set_campaign_settings', {
    p_org_id: orgId,
    p_fields: {
      ...settings,
      message_prices: prices && { ...prices, countries: Object.fromEntries(countries) },
    },
  });
}

export const rotateConversionSecret = (orgId: string): Promise<string> =>
  ask('rotate_conversion_secret', { p_org_id: orgId }, z.string());

/** As the browser knows them, so that no list has to be kept up to date here. */
export const currencies: string[] = Intl.supportedValuesOf('currency');
