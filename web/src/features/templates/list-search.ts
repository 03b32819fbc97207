import * as z from 'zod/mini';
import { categories, statuses } from './kinds';
import type { TemplateSort, TemplatesAsked } from './queries';

const lenient = <T extends z.ZodMiniType>(schema: T) => z.catch(z.optional(schema), undefined);

/** What the address of the list of templates holds. An unreadable value is dropped, the rest of the link still works. */
export const templatesSearch = z.object({
  q: lenient(z.coerce.string()),
  status: lenient(z.enum(statuses)),
  category: lenient(z.enum(categories)),
  language: lenient(z.string()),
  sort: lenient(z.enum(['name', 'created', 'used', 'read'])),
  /** Only those that were sent often enough to compare, the most read first. */
  top: lenient(z.boolean()),
  page: lenient(z.coerce.number().check(z.int(), z.positive())),
  view: lenient(z.enum(['grid', 'table'])),
});
export type TemplatesSearch = z.infer<typeof templatesSearch>;

/** What narrows the list, besides what is searched for. */
export const filterNames = ['status', 'category', 'language', 'top'] as const;

export type ListSort = NonNullable<TemplatesSearch['sort']>;

export const sortNames: Record<ListSort, string> = {
  created: 'Newest first',
  name: 'By name',
  used: 'Most used',
  read: 'Best read',
};

const columns: Record<ListSort, { sort: TemplateSort; descending: boolean }> = {
  created: { sort: 'created_at', descending: true },
  name: { sort: 'name', descending: false },
  used: { sort: 'sent_count', descending: true },
  read: { sort: 'read_rate', descending: true },
};

export const TEMPLATES_A_PAGE = 24;

/** PRD §9.4: a read rate of fewer sends says little. */
export const ENOUGH_SENDS = 50;

export function askedOf(search: TemplatesSearch): TemplatesAsked {
  const { q, status, category, language, page = 1 } = search;
  const { sort, descending } = columns[search.top ? 'read' : (search.sort ?? 'created')];
  return { q, status, category, language, sort, descending, page, size: TEMPLATES_A_PAGE };
}
