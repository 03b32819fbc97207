import type { Audience, Campaign, Detail, QuietHours, Test, Variables } from '../model';
import { linkProblem } from './link-problem';

export interface DraftVariant {
  template_id: string | null;
  variables: Variables;
  links: Record<string, string>;
  share: number | null;
}

/** As the database has it, but for a number that somebody has just emptied. */
export type DraftTest = Omit<Test, 'percent'> & { percent: number | null };

/** What the wizard changes, under the names of the columns. A number is null while its field is empty. */
export interface DraftValues {
  name: string;
  description: string | null;
  whatsapp_account_id: string | null;
  audience: Audience | null;
  scheduled_at: string | null;
  time_zone: string | null;
  quiet_hours: QuietHours | null;
  uncertain_policy: 'miss' | 'repeat';
  uncertain_hours: number | null;
  holdout_percent: number | null;
  test: DraftTest | null;
  attribution_days: number | null;
  variants: DraftVariant[];
}

export const emptyVariant: DraftVariant = { template_id: null, variables: {}, links: {}, share: 100 };

export const MOST_VARIANTS = 3;

export function valuesOf({ campaign, variants }: Pick<Detail, 'campaign' | 'variants'>): DraftValues {
  return {
    name: campaign.name ?? '',
    description: campaign.description ?? null,
    whatsapp_account_id: campaign.whatsapp_account_id ?? null,
    audience: audienceOf(campaign),
    // As it is written here, so that a time that was saved is the time that was chosen.
    scheduled_at: campaign.scheduled_at ? new Date(campaign.scheduled_at).toISOString() : null,
    time_zone: campaign.time_zone ?? null,
    quiet_hours: campaign.quiet_hours ?? null,
    uncertain_policy: campaign.uncertain_policy,
    uncertain_hours: campaign.uncertain_hours ?? 24,
    holdout_percent: campaign.holdout_percent ?? 0,
    test: campaign.test ?? null,
    attribution_days: campaign.attribution_days ?? 7,
    variants:
      variants.length > 0
        ? inPercent(
            [...variants]
              .sort((a, b) => a.position - b.position)
              .map(({ template_id, variables, links, share }) => ({
                template_id: template_id ?? null,
                variables,
                links,
                share: share ?? 1,
              })),
          )
        : [emptyVariant],
  };
}

/** The database keeps parts of any size, as 1 and 1 for halves; people read hundredths. */
function inPercent(variants: (DraftVariant & { share: number })[]): DraftVariant[] {
  const sum = variants.reduce((total, { share }) => total + share, 0);
  if (sum === 100) return variants;
  const shares = variants.map(({ share }) => Math.max(1, Math.round((share * 100) / sum)));
  const rest = 100 - shares.reduce((total, share) => total + share, 0);
  return variants.map((variant, index) => ({
    ...variant,
    share: (shares[index] ?? 0) + (index === 0 ? rest : 0),
  }));
}

/** `{}` would be everybody, which nobody chooses by not choosing. */
function audienceOf({ audience }: Campaign): Audience | null {
  return audience && Object.keys(audience).length > 0 ? audience : null;
}

/** Only what differs travels, so that two people on two steps do not undo each other. */
export function changesBetween(saved: DraftValues, now: DraftValues): Partial<DraftValues> {
  return pickFields(
    now,
    changedFields(saved, now).filter((key) => !isHalfTyped(key, now)),
  );
}

/** Half-typed fields too: what this device keeps is what the screen shows. */
export function changedFields(saved: DraftValues, now: DraftValues): (keyof DraftValues)[] {
  const keys = Object.keys(now) as (keyof DraftValues)[];
  return keys.filter((key) => canonical(saved[key]) !== canonical(now[key]));
}

export function pickFields(values: DraftValues, keys: (keyof DraftValues)[]): Partial<DraftValues> {
  return Object.fromEntries(keys.map((key) => [key, values[key]]));
}

/** What the database refuses of any draft waits until it is whole; the field says what is missing. */
function isHalfTyped(key: keyof DraftValues, values: DraftValues): boolean {
  switch (key) {
    case 'name':
      return values.name.trim() === '';
    case 'quiet_hours':
      return values.quiet_hours !== null && values.quiet_hours.from === values.quiet_hours.to;
    case 'variants':
      return values.variants.some(
        ({ links, share }) => share === null || Object.values(links).some(linkProblem),
      );
    case 'test':
      return values.test?.percent === null;
    case 'uncertain_hours':
    case 'attribution_days':
    case 'holdout_percent':
      return values[key] === null;
    default:
      return false;
  }
}

const halfTypedSteps = {
  name: 'setup',
  variants: 'content',
  test: 'content',
  holdout_percent: 'content',
  quiet_hours: 'schedule',
  uncertain_hours: 'schedule',
  attribution_days: 'schedule',
} as const;

/** The first step with a field that is held back; until it is whole the database has something else than the screen. */
export function halfTypedStep(values: DraftValues): Step | undefined {
  const keys = Object.keys(halfTypedSteps) as (keyof typeof halfTypedSteps)[];
  const key = keys.find((each) => isHalfTyped(each, values));
  return key && halfTypedSteps[key];
}

/** Keys in one order: the database gives jsonb back in its own. */
export function canonical(value: unknown): string {
  return JSON.stringify(value, (_, each: unknown) =>
    typeof each === 'object' && each !== null && !Array.isArray(each)
      ? Object.fromEntries(Object.entries(each).sort(([a], [b]) => (a < b ? -1 : 1)))
      : each,
  );
}

/** Equal parts that add up to a hundred; the first ones take the rest. */
export function equalShares(variants: DraftVariant[]): DraftVariant[] {
  const each = Math.floor(100 / variants.length);
  const rest = 100 - each * variants.length;
  return variants.map((variant, index) => ({ ...variant, share: each + (index < rest ? 1 : 0) }));
}

export const shareProblem = (variants: DraftVariant[]): string | undefined => {
  if (variants.length < 2) return undefined;
  const shares = variants.map(({ share }) => share ?? 0);
  if (shares.some((share) => share < 1)) return 'Each version needs at least 1 %.';
  const sum = shares.reduce((total, share) => total + share, 0);
  return sum === 100 ? undefined : `The shares add up to ${sum} %. They need to make 100 %.`;
};

export const steps = ['setup', 'audience', 'content', 'schedule', 'review'] as const;
export type Step = (typeof steps)[number];
export const stepNames: Record<Step, string> = {
  setup: 'Setup',
  audience: 'Audience',
  content: 'Content',
  schedule: 'Schedule',
  review: 'Review',
};

/** What a step still lacks, as far as this page can tell; the rehearsal decides. */
export function missingIn(step: Step, values: DraftValues, now: number): string | undefined {
  switch (step) {
    case 'setup':
      if (!values.name.trim()) return 'Give the campaign a name.';
      return values.whatsapp_account_id ? undefined : 'Choose the number that sends it.';
    case 'audience':
      return values.audience ? undefined : 'Choose who receives it.';
    case 'content':
      if (values.variants.some(({ template_id }) => !template_id)) return 'Choose a template.';
      if (values.variants.some(({ variables }) => Object.values(variables).some(isUnfilled)))
        return 'Fill in every value.';
      if (values.variants.some(({ links }) => Object.values(links).some(linkProblem)))
        return 'Write every link in full.';
      if (isHalfTyped('test', values)) return 'Say how many percent get the test.';
      if (isHalfTyped('holdout_percent', values)) return 'Say how many percent are held out.';
      return shareProblem(values.variants);
    case 'schedule':
      if (values.scheduled_at && Date.parse(values.scheduled_at) <= now) return 'That time has passed.';
      if (isHalfTyped('quiet_hours', values)) return 'Quiet hours need an end.';
      if (isHalfTyped('uncertain_hours', values)) return 'Say after how many hours to decide.';
      if (isHalfTyped('attribution_days', values)) return 'Say for how many days sales opportunities count.';
      return undefined;
    case 'review':
      return undefined;
  }
}

export const isUnfilled = (variable: Variables[string]): boolean =>
  variable.source === 'static' ? isBlank(variable.value) : !variable.field || isBlank(variable.default);

const isBlank = (value: unknown): boolean => {
  if (value === null || value === undefined) return true;
  if (typeof value === 'string') return value.trim() === '';
  if (typeof value === 'object') return Object.values(value).every(isBlank);
  return false;
};
