import { queryOptions } from '@tanstack/react-query';
import * as z from 'zod/mini';
import { rowsOf, table, tell } from '../api';

const opportunitySchema = z.object({
  id: z.string(),
  source: z.string(),
  amount: z.nullish(z.coerce.number()),
  currency: z.nullish(z.string()),
  external_id: z.nullish(z.string()),
  note: z.nullish(z.string()),
  occurred_at: z.string(),
  campaigns: z.nullish(z.object({ id: z.string(), name: z.string() })),
});
export type Opportunity = z.infer<typeof opportunitySchema>;

export const opportunitiesKey = (orgId: string, contactId: string) =>
  ['org', orgId, 'contact', contactId, 'opportunities'] as const;

/** More than these belong in a report. */
const MOST_SHOWN = 20;

export function opportunitiesQuery(orgId: string, contactId: string) {
  return queryOptions({
    queryKey: opportunitiesKey(orgId, contactId),
    queryFn: async () =>
      z
        .array(opportunitySchema)
        .parse(
          await rowsOf(
            table('opportunities')
              .select(
                'id, source, amount, currency, external_id, note, occurred_at, campaigns!opportunities_org_id_campaign_id_fkey(id, name)',
              )
              .eq('org_id', orgId)
              .eq('contact_id', contactId)
              .order('occurred_at', { ascending: false })
              .limit(MOST_SHOWN),
          ),
        ),
  });
}

export const recordOpportunity = (contactId: string, fields: Record<string, unknown>): Promise<void> =>
  tell('record_opportunity', { p_contact_id: contactId, p_fields: fields });

export const deleteOpportunity = (id: string): Promise<void> => tell('delete_opportunity', { p_id: id });
