import { queryOptions } from '@tanstack/react-query';
import * as z from 'zod/mini';
import { renderedSchema } from '@/features/templates/preview/rendered';
import { ask, rowsOf, table } from './api';

const text = z.nullish(z.string());
const links = z.pipe(
  z.nullish(z.record(z.string(), z.string())),
  z.transform((value) => value ?? {}),
);

const templateSchema = z.object({
  id: z.string(),
  /** Whose template it is at Meta: only numbers of that WhatsApp account send it. */
  waba_id: text,
  name: z.string(),
  language: z.string(),
  category: z.string(),
  status: z.string(),
  quality: text,
  components: z.pipe(
    z.nullish(z.array(z.looseObject({ type: z.string(), text }))),
    z.transform((value) => value ?? []),
  ),
  links,
});
export type CampaignTemplate = z.infer<typeof templateSchema>;

export const templateVariableSchema = z.object({
  key: z.string(),
  kind: z.string(),
  example: text,
  label: z.string(),
});
export type TemplateVariable = z.infer<typeof templateVariableSchema>;

const templateKey = (orgId: string, ...more: unknown[]) =>
  ['org', orgId, 'templates', 'campaign', ...more] as const;

export const TEMPLATES_A_PAGE = 24;

export interface SendableSearch {
  search: string;
  category: string | undefined;
  /** A number sends only what its own account has. */
  wabaId: string | undefined;
}

/** What a campaign may send, as the database says, by name and category. */
export function sendableTemplatesQuery(orgId: string, { search, category, wabaId }: SendableSearch) {
  return queryOptions({
    queryKey: templateKey(orgId, 'sendable', search, category, wabaId),
    queryFn: ({ signal }) =>
      ask(
        'list_templates',
        {
          p_org_id: orgId,
          p_search: search.trim() || null,
          p_is_for_campaigns: true,
          p_category: category ?? null,
          p_waba_id: wabaId ?? null,
          p_limit: TEMPLATES_A_PAGE,
        },
        z.object({ total: z.number(), templates: z.array(templateSchema) }),
        signal,
      ),
  });
}

export function templateQuery(orgId: string, id: string) {
  return queryOptions({
    queryKey: templateKey(orgId, 'one', id),
    staleTime: 60_000,
    queryFn: async () =>
      templateSchema.parse(
        await rowsOf(
          table('templates')
            .select('id, waba_id, name, language, category, status, quality, components, links')
            .eq('org_id', orgId)
            .eq('id', id)
            .single(),
        ),
      ),
  });
}

export function templateVariablesQuery(orgId: string, id: string) {
  return queryOptions({
    queryKey: templateKey(orgId, 'variables', id),
    staleTime: 60_000,
    queryFn: () => ask('template_variables', { p_id: id }, z.array(templateVariableSchema)),
  });
}

export function templatePreviewQuery(orgId: string, id: string, values: Record<string, unknown>) {
  return queryOptions({
    queryKey: templateKey(orgId, 'preview', id, JSON.stringify(values)),
    staleTime: 60_000,
    gcTime: 60_000,
    queryFn: ({ signal }) => ask('preview_template', { p_id: id, p_values: values }, renderedSchema, signal),
  });
}

export const bodyOf = (template: CampaignTemplate): string =>
  template.components.find(({ type }) => type.toUpperCase() === 'BODY')?.text ?? '';

/** Buttons whose clicks are counted: their index, and what stands on them. */
export function trackedButtons(template: CampaignTemplate): { index: string; label: string }[] {
  const component = template.components.find(({ type }) => type.toUpperCase() === 'BUTTONS');
  const buttons = Array.isArray(component?.buttons) ? (component.buttons as { text?: unknown }[]) : [];
  return Object.keys(template.links).map((index) => {
    const words = buttons[Number(index)]?.text;
    return { index, label: typeof words === 'string' && words ? words : `Button ${Number(index) + 1}` };
  });
}

export const categoryNames: Record<string, string> = {
  marketing: 'Marketing',
  utility: 'Utility',
  authentication: 'Authentication',
};

/** Where our storage has the file a header was approved with; none of a template that was made elsewhere. */
export function ownFile(template: CampaignTemplate, key: string): string | undefined {
  const card = /^card\.(\d+)\./.exec(key)?.[1];
  const parts = card === undefined ? template.components : cardParts(template, Number(card));
  const header = parts.find(({ type }) => String(type).toUpperCase() === 'HEADER');
  const path = (header?.media as { path?: unknown } | undefined)?.path;
  return typeof path === 'string' ? path : undefined;
}

function cardParts(template: CampaignTemplate, index: number): Record<string, unknown>[] {
  const carousel = template.components.find(({ type }) => type.toUpperCase() === 'CAROUSEL');
  const cards = Array.isArray(carousel?.cards) ? (carousel.cards as { components?: unknown }[]) : [];
  const parts = cards[index]?.components;
  return Array.isArray(parts) ? (parts as Record<string, unknown>[]) : [];
}
