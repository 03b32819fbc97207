import * as z from 'zod/mini';
import type { Selection } from '@/features/segments/model';
import { renderedSchema } from '@/features/templates/preview/rendered';
import { recipientStatuses, statuses } from './statuses';

export { type CampaignStatus, type RecipientStatus, recipientStatuses, statuses } from './statuses';

/** The shapes of docs/templates-and-campaigns.md, checked where they come in. */

const text = z.nullish(z.string());
const number = z._default(z.coerce.number(), 0);

export const statsSchema = z.object({
  total: number,
  excluded: number,
  held_out: number,
  waiting: number,
  queued: number,
  sent: number,
  delivered: number,
  read: number,
  replied: number,
  clicked: number,
  opportunities: number,
  failed: number,
  uncertain: number,
});
export type Stats = z.infer<typeof statsSchema>;

export type Audience = { segment_id: string } | Selection;
const audienceSchema = z.nullish(z.custom<Audience>((value) => typeof value === 'object' && value !== null));

const quietHours = z.object({ from: z.string(), to: z.string() });
export type QuietHours = z.infer<typeof quietHours>;

const test = z.object({
  percent: z.number(),
  hours: z.number(),
  measure: z.enum(['read', 'reply']),
  choose: z.enum(['automatic', 'manual']),
});
export type Test = z.infer<typeof test>;

export const campaignSchema = z.object({
  id: z.string(),
  org_id: z.string(),
  name: z._default(z.nullable(z.string()), ''),
  description: text,
  status: z.enum(statuses),
  status_reason: text,
  waiting_for: text,
  resumes_at: text,
  whatsapp_account_id: text,
  audience: audienceSchema,
  scheduled_at: text,
  time_zone: text,
  quiet_hours: z.nullish(quietHours),
  uncertain_policy: z.catch(z.enum(['miss', 'repeat']), 'miss'),
  uncertain_hours: z._default(z.nullable(z.number()), 24),
  holdout_percent: z._default(z.nullable(z.number()), 0),
  test: z.nullish(test),
  winner: z.nullish(z.number()),
  attribution_days: z._default(z.nullable(z.number()), 7),
  launched_at: text,
  started_at: text,
  finished_at: text,
  created_by: text,
  created_at: z.string(),
  updated_at: z.string(),
});
export type Campaign = z.infer<typeof campaignSchema>;

const variable = z.union([
  z.object({ source: z.literal('static'), value: z.unknown() }),
  z.object({ source: z.literal('contact'), field: z.string(), default: z.unknown() }),
]);
/** What stands in for one placeholder: the same for everybody, or a field of the contact. */
export type Variable =
  | { source: 'static'; value: unknown }
  | { source: 'contact'; field: string; default: string };
export type Variables = Record<string, Variable>;

export const variantSchema = z.object({
  position: z.number(),
  template_id: text,
  template_name: text,
  variables: z.pipe(
    z.nullish(z.record(z.string(), variable)),
    z.transform((value) => (value ?? {}) as Variables),
  ),
  links: z.pipe(
    z.nullish(z.record(z.string(), z.string())),
    z.transform((value) => value ?? {}),
  ),
  share: z._default(z.nullable(z.number()), 100),
});
export type Variant = z.infer<typeof variantSchema>;

export const costSchema = z.nullish(z.object({ currency: z.string(), amount: z.coerce.number() }));
export type Cost = z.infer<typeof costSchema>;

export const problemSchema = z.looseObject({ code: z.string(), message: z._default(z.string(), '') });
export type CampaignProblem = z.infer<typeof problemSchema>;
const problems = z.pipe(
  z.nullish(z.array(problemSchema)),
  z.transform((value) => value ?? []),
);

export const audienceSizeSchema = z.object({
  total: number,
  recipients: number,
  excluded: z.pipe(
    z.nullish(z.record(z.string(), z.coerce.number())),
    z.transform((value) => value ?? {}),
  ),
  tier: z.nullish(z.object({ limit: z.nullish(z.coerce.number()), used: number })),
  problems,
});
export type AudienceSize = z.infer<typeof audienceSizeSchema>;

export const exclusionSchema = z.object({
  contact_id: z.string(),
  full_name: text,
  phone: text,
  reason: z.string(),
});
export type Exclusion = z.infer<typeof exclusionSchema>;

export const rehearsalSchema = z.object({
  recipients: number,
  excluded: z.unknown(),
  held_out: number,
  messages: z.array(
    z.object({
      contact_id: z.string(),
      full_name: text,
      phone: text,
      variant: z._default(z.nullable(z.number()), 1),
      rendered: renderedSchema,
    }),
  ),
  cost: costSchema,
  starts_at: text,
  finishes_at: text,
  conflicts: z.pipe(
    z.nullish(z.array(z.looseObject({ kind: z.string() }))),
    z.transform((value) => value ?? []),
  ),
  problems,
});
export type Rehearsal = z.infer<typeof rehearsalSchema>;
export type Conflict = Rehearsal['conflicts'][number];

export const listRowSchema = z.extend(campaignSchema, {
  ...statsSchema.shape,
  created_by_name: text,
  audience_name: text,
});
export type ListRow = z.infer<typeof listRowSchema>;

const share = z.nullish(z.coerce.number());
export const comparisonSchema = z.nullish(
  z.object({
    winner: z.nullish(z.number()),
    p_value: share,
    rates: z._default(z.array(z.object({ variant: z.number(), rate: share, low: share, high: share })), []),
    sentence: z._default(z.nullable(z.string()), ''),
  }),
);
export type Comparison = z.infer<typeof comparisonSchema>;

export const detailSchema = z.object({
  campaign: campaignSchema,
  variants: z.pipe(
    z.nullish(z.array(variantSchema)),
    z.transform((value) => value ?? []),
  ),
  stats: z.pipe(
    z.nullish(statsSchema),
    z.transform((value): Stats => value ?? noStats),
  ),
  by_variant: z.pipe(
    z.nullish(z.array(z.extend(statsSchema, { variant: z.number() }))),
    z.transform((value) => value ?? []),
  ),
  failures: z.pipe(
    z.nullish(z.array(z.object({ code: text, count: z.coerce.number(), may_be_retried: z.boolean() }))),
    z.transform((value) => value ?? []),
  ),
  lift: z.nullish(z.record(z.string(), z.unknown())),
  comparison: comparisonSchema,
  cost: costSchema,
  excluded: z.pipe(
    z.nullish(z.record(z.string(), z.coerce.number())),
    z.transform((value) => value ?? {}),
  ),
  finishes_at: text,
  audience_name: text,
  created_by_name: text,
});
export type Detail = z.infer<typeof detailSchema>;

export const recipientSchema = z.object({
  contact_id: z.string(),
  full_name: text,
  phone: text,
  variant: z.nullish(z.number()),
  status: z.enum(recipientStatuses),
  is_uncertain: z._default(z.nullable(z.boolean()), false),
  exclusion_reason: text,
  error_code: text,
  ready_at: text,
  sent_at: text,
  delivered_at: text,
  read_at: text,
  replied_at: text,
  clicked_at: text,
  opportunity_at: text,
  failed_at: text,
});
export type Recipient = z.infer<typeof recipientSchema>;

const noStats: Stats = {
  total: 0,
  excluded: 0,
  held_out: 0,
  waiting: 0,
  queued: 0,
  sent: 0,
  delivered: 0,
  read: 0,
  replied: 0,
  clicked: 0,
  opportunities: 0,
  failed: 0,
  uncertain: 0,
};

export const isSegmentAudience = (
  audience: Audience | null | undefined,
): audience is { segment_id: string } =>
  typeof (audience as { segment_id?: unknown } | null | undefined)?.segment_id === 'string';

export const isIdsAudience = (audience: Audience | null | undefined): audience is { ids: string[] } =>
  Array.isArray((audience as { ids?: unknown } | null | undefined)?.ids);

/** Whom it is meant for in the end: the ledger without those left out or held back. */
export const addressed = (stats: Stats): number => Math.max(0, stats.total - stats.excluded - stats.held_out);

export const canEdit = (campaign: Pick<Campaign, 'status'>): boolean =>
  campaign.status === 'draft' || campaign.status === 'scheduled';
