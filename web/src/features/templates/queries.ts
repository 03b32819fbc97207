import { queryOptions } from '@tanstack/react-query';
import * as z from 'zod/mini';
import { answer } from '@/lib/supabase';
import { call, tell, untyped } from './api';
import type { TemplateFields } from './editor/fields';
import {
  analyticsSchema,
  type Category,
  type Status,
  TEMPLATE_COLUMNS,
  type Template,
  type TemplateValues,
  templateListSchema,
  templateProblemSchema,
  templateSchema,
  variableSchema,
} from './model';
import { renderedSchema } from './preview/rendered';

export const templatesKey = (orgId: string, ...more: unknown[]) =>
  ['org', orgId, 'templates', ...more] as const;

export type TemplateSort = 'name' | 'created_at' | 'sent_count' | 'read_rate';

export interface TemplatesAsked {
  q?: string;
  status?: Status;
  category?: Category;
  language?: string;
  sort: TemplateSort;
  descending: boolean;
  page: number;
  size: number;
}

export function templatesQuery(orgId: string, asked: TemplatesAsked) {
  const q = asked.q?.trim() || undefined;
  return queryOptions({
    queryKey: templatesKey(orgId, 'list', { ...asked, q }),
    queryFn: ({ signal }) =>
      call(
        templateListSchema,
        'list_templates',
        {
          p_org_id: orgId,
          p_search: q,
          p_status: asked.status,
          p_category: asked.category,
          p_language: asked.language,
          p_sort: asked.sort,
          p_descending: asked.descending,
          p_limit: asked.size,
          p_offset: (asked.page - 1) * asked.size,
        },
        signal,
      ),
  });
}

export function templateQuery(orgId: string, id: string) {
  return queryOptions({
    queryKey: templatesKey(orgId, 'one', id),
    queryFn: async (): Promise<Template> => {
      const row = await answer(
        untyped()
          .from('templates')
          .select(TEMPLATE_COLUMNS)
          .eq('org_id', orgId)
          .eq('id', id)
          .is('deleted_at', null)
          .maybeSingle(),
      );
      if (!row) throw { code: 'TEMPLATE_001' };
      return templateSchema.parse(row);
    },
  });
}

/** Languages in use, for the filter. */
export function templateLanguagesQuery(orgId: string) {
  return queryOptions({
    queryKey: templatesKey(orgId, 'languages'),
    staleTime: 60_000,
    queryFn: async (): Promise<string[]> => {
      const rows = z
        .array(z.object({ language: z.string() }))
        .parse(
          await answer(
            untyped()
              .from('templates')
              .select('language')
              .eq('org_id', orgId)
              .is('deleted_at', null)
              .limit(1_000),
          ),
        );
      return [...new Set(rows.map((row) => row.language))].sort();
    },
  });
}

export function analyticsQuery(orgId: string, id: string, days: number) {
  return queryOptions({
    queryKey: templatesKey(orgId, 'analytics', id, days),
    queryFn: () => call(analyticsSchema, 'template_analytics', { p_id: id, p_days: days }),
  });
}

export function variablesQuery(orgId: string, template: Pick<Template, 'id' | 'updated_at'>) {
  return queryOptions({
    queryKey: templatesKey(orgId, 'variables', template.id, template.updated_at),
    staleTime: 5 * 60_000,
    queryFn: () => call(z.array(variableSchema), 'template_variables', { p_id: template.id }),
  });
}

export function previewQuery(
  orgId: string,
  template: Pick<Template, 'id' | 'updated_at'>,
  values: TemplateValues,
) {
  return queryOptions({
    queryKey: templatesKey(orgId, 'preview', template.id, template.updated_at, JSON.stringify(values)),
    staleTime: 60_000,
    gcTime: 60_000,
    queryFn: ({ signal }) =>
      call(renderedSchema, 'preview_template', { p_id: template.id, p_values: values }, signal),
  });
}

/** `asked`: the fields as JSON text, and `id` of the template they are for. */
export function checkQuery(orgId: string, asked: string) {
  return queryOptions({
    queryKey: ['org', orgId, 'template-check', asked],
    staleTime: 60_000,
    gcTime: 60_000,
    queryFn: ({ signal }) =>
      call(
        z.array(templateProblemSchema),
        'check_template',
        { p_org_id: orgId, p_fields: JSON.parse(asked) },
        signal,
      ),
  });
}

export const createTemplate = (orgId: string, fields: TemplateFields): Promise<Template> =>
  call(templateSchema, 'create_template', { p_org_id: orgId, p_fields: fields });

export const updateTemplate = (
  id: string,
  fields: Partial<TemplateFields>,
  expected: string,
): Promise<Template> =>
  call(templateSchema, 'update_template', { p_id: id, p_fields: fields, p_expected_updated_at: expected });

/** `expected` is the version that was reviewed: no other one goes to Meta. */
export const submitTemplate = (id: string, expected: string): Promise<Template> =>
  call(templateSchema, 'submit_template', { p_id: id, p_expected_updated_at: expected });

export const duplicateTemplate = (id: string, name: string): Promise<Template> =>
  call(templateSchema, 'duplicate_template', { p_id: id, p_name: name });

export const deleteTemplate = (id: string): Promise<void> => tell('delete_template', { p_id: id });

export const syncTemplates = (orgId: string): Promise<void> => tell('sync_templates', { p_org_id: orgId });
