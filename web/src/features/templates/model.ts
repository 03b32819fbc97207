import * as z from 'zod/mini';
import { categories, statuses } from './kinds';

export type { Category, Status } from './kinds';

const text = z.nullish(z.string());
const amount = z.nullish(z.coerce.number());

/** A part of a template as Meta takes and returns it; which keys it has follows from its `type`. */
const componentSchema = z.looseObject({ type: z.string() });
export type Component = z.infer<typeof componentSchema>;

export const templateSchema = z.object({
  id: z.string(),
  org_id: z.string(),
  waba_id: z.string(),
  name: z.string(),
  language: z.string(),
  category: z.enum(categories),
  parameter_format: z.catch(z.enum(['positional', 'named']), 'positional'),
  components: z.catch(z.array(componentSchema), []),
  /** Tracked destinations by the place of their button. */
  links: z.catch(z.record(z.string(), z.string()), {}),
  status: z.enum(statuses),
  /** Meta's own word, which says more than ours: `PAUSED`, `IN_APPEAL`, `FLAGGED`… */
  meta_status: text,
  status_reason: text,
  rejected_reason: text,
  quality: text,
  wa_template_id: text,
  previous_category: text,
  correct_category: text,
  category_changes_at: text,
  /** Why what was asked of Meta last did not happen: a code of the catalogue, or Meta's words. */
  problem: text,
  /** A rejected one that was reworked here and not submitted yet. */
  has_changes: z.catch(z.boolean(), false),
  created_by: text,
  submitted_at: text,
  reviewed_at: text,
  synced_at: text,
  sent_count: z.catch(z.coerce.number(), 0),
  last_used_at: text,
  created_at: z.string(),
  updated_at: z.string(),
  deleted_at: text,
  /** Only in lists: the share of delivered messages that were read, 0…1. */
  read_rate: amount,
});
export type Template = z.infer<typeof templateSchema>;

export const TEMPLATE_COLUMNS = Object.keys(templateSchema.shape)
  .filter((column) => column !== 'read_rate')
  .join(', ');

export const templateListSchema = z.object({ total: z.coerce.number(), templates: z.array(templateSchema) });

export const templateProblemSchema = z.object({
  path: z.string(),
  severity: z.catch(z.enum(['error', 'warning']), 'error'),
  code: z.string(),
  message: z.string(),
});
export type TemplateProblem = z.infer<typeof templateProblemSchema>;

export const variableSchema = z.object({
  key: z.string(),
  /** `text`, `image`, `video`, `document`, `location`, `url`, `code` or `flow`. */
  kind: z.string(),
  example: text,
  label: z.string(),
});
export type TemplateVariable = z.infer<typeof variableSchema>;

const countSchema = z.catch(z.coerce.number(), 0);
const countsSchema = z.object({
  sent: countSchema,
  delivered: countSchema,
  read: countSchema,
  replied: countSchema,
});
const useSchema = z.object({ id: z.string(), name: z.string(), status: text });

export const analyticsSchema = z.object({
  days: z.array(z.extend(countsSchema, { day: z.string() })),
  totals: countsSchema,
  campaigns: z._default(z.array(useSchema), []),
  flows: z._default(z.array(useSchema), []),
});
export type Analytics = z.infer<typeof analyticsSchema>;
export type Counts = z.infer<typeof countsSchema>;

/** One value a send takes; media and places are more than text. */
export type TemplateValue = string | Record<string, string | number>;
export type TemplateValues = Record<string, TemplateValue>;

const partOf = (template: Pick<Template, 'components'>, type: string): Component | undefined =>
  template.components.find((component) => component.type.toUpperCase() === type);

/** The body as written, for cards and rows. */
export function bodyOf(template: Pick<Template, 'components' | 'category'>): string {
  const body = partOf(template, 'BODY');
  if (typeof body?.text === 'string') return body.text;
  return template.category === 'authentication' ? 'Your verification code is {{1}}.' : '';
}

/** Whether Meta holds it, so that deleting reaches beyond us. */
export const isAtMeta = (template: Pick<Template, 'wa_template_id'>): boolean =>
  Boolean(template.wa_template_id);

/** Meta pauses for quality and lets the template be edited meanwhile; what it disabled stays so. */
export const isPaused = (template: Pick<Template, 'meta_status' | 'status'>): boolean =>
  template.status === 'disabled' && template.meta_status === 'PAUSED';

export const mayEdit = (template: Template): boolean =>
  ['draft', 'rejected', 'approved'].includes(template.status) || isPaused(template);

/** What campaigns send: a one-time code is for one person who just asked for it. */
export const maySendToMany = (template: Pick<Template, 'status' | 'category'>): boolean =>
  template.status === 'approved' && template.category !== 'authentication';

export const maySubmit = (template: Template): boolean => ['draft', 'rejected'].includes(template.status);

/** What is changed is in use already: it goes to Meta as one edit, never half done. */
export const editsAtMeta = (template: Pick<Template, 'status' | 'meta_status'>): boolean =>
  template.status === 'approved' || isPaused(template);

export const mayDelete = (template: Template): boolean =>
  template.status !== 'pending' && template.meta_status !== 'PENDING_DELETION';
