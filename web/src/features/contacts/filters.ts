import type { Chip } from '@/components/filter-chips';
import { longDate } from '@/lib/time';
import type { ContactsSearch } from './list-search';
import { consentNames, sourceNames, stageNames, type Tag, wordFor } from './model';
import { childrenOf, countLeaves, type Group, leaf, type RuleNode } from './rules';

export const filterKeys = [
  'consent',
  'tags',
  'source',
  'stage',
  'created_from',
  'created_to',
  'message_from',
  'message_to',
  'conversation',
  'more',
] as const;
export type Filters = Pick<ContactsSearch, (typeof filterKeys)[number]>;

export function filtersOf(search: ContactsSearch): Filters {
  const filters: Filters = {};
  for (const key of filterKeys) {
    const value = search[key];
    if (value === undefined || (Array.isArray(value) && value.length === 0)) continue;
    Object.assign(filters, { [key]: value });
  }
  return filters;
}

export const noFilters: Filters = Object.fromEntries(filterKeys.map((key) => [key, undefined]));

/** The day `by` days later, as `YYYY-MM-DD`. */
function shifted(date: string, by: number): string {
  return new Date(Date.parse(`${date}T00:00:00Z`) + by * 86_400_000).toISOString().slice(0, 10);
}

/** `after` begins when its day has ended, so a range that includes its first day names the day before. */
function days(field: string, from: string | undefined, to: string | undefined): RuleNode[] {
  if (from && to) return [leaf(field, 'between', from <= to ? [from, to] : [to, from])];
  if (from) return [leaf(field, 'after', shifted(from, -1))];
  if (to) return [leaf(field, 'before', shifted(to, 1))];
  return [];
}

/** The rules the database is asked with; undefined when nothing is filtered. */
export function rulesOf(filters: Filters): Group | undefined {
  const all: RuleNode[] = [];
  if (filters.consent?.length) all.push(leaf('opt_in_status', 'is_one_of', filters.consent));
  if (filters.tags?.length) all.push(leaf('tags', 'has_any_of', filters.tags));
  if (filters.source?.length) all.push(leaf('source', 'is_one_of', filters.source));
  if (filters.stage?.length) all.push(leaf('lifecycle_stage', 'is_one_of', filters.stage));
  all.push(...days('created_at', filters.created_from, filters.created_to));
  all.push(...days('last_message_at', filters.message_from, filters.message_to));
  if (filters.conversation) all.push(leaf('has_conversation', 'is', filters.conversation === 'yes'));
  if (filters.more && childrenOf(filters.more).length > 0) all.push(filters.more);
  return all.length > 0 ? { all } : undefined;
}

type FilterChip = Chip<Partial<Filters>>;

const day = (date: string) => longDate(`${date}T12:00:00`);

function range(name: string, from: string | undefined, to: string | undefined): string | undefined {
  if (from && to) return `${name} ${day(from)} – ${day(to)}`;
  if (from) return `${name} since ${day(from)}`;
  if (to) return `${name} until ${day(to)}`;
  return undefined;
}

/** One chip for each value, so that each can be removed by itself. */
export function chipsOf(filters: Filters, tags: Tag[]): FilterChip[] {
  const several = (
    key: 'consent' | 'tags' | 'source' | 'stage',
    values: string[] | undefined,
    word: (value: string) => string,
  ): FilterChip[] =>
    (values ?? []).map((value) => {
      const left = (values ?? []).filter((each) => each !== value);
      return {
        key: `${key}:${value}`,
        label: word(value),
        without: { [key]: left.length > 0 ? left : undefined },
      };
    });
  const chips = [
    ...several('consent', filters.consent, (value) => wordFor(consentNames, value)),
    ...several('tags', filters.tags, (id) => `Tag: ${tags.find((tag) => tag.id === id)?.name ?? 'deleted'}`),
    ...several('stage', filters.stage, (value) => wordFor(stageNames, value)),
    ...several('source', filters.source, (value) => wordFor(sourceNames, value)),
  ];
  const created = range('Added', filters.created_from, filters.created_to);
  if (created)
    chips.push({
      key: 'created',
      label: created,
      without: { created_from: undefined, created_to: undefined },
    });
  const messaged = range('Last message', filters.message_from, filters.message_to);
  if (messaged)
    chips.push({
      key: 'message',
      label: messaged,
      without: { message_from: undefined, message_to: undefined },
    });
  if (filters.conversation)
    chips.push({
      key: 'conversation',
      label: filters.conversation === 'yes' ? 'Has a conversation' : 'No conversation yet',
      without: { conversation: undefined },
    });
  const more = filters.more ? countLeaves(filters.more) : 0;
  if (more > 0)
    chips.push({
      key: 'more',
      label: more === 1 ? '1 more rule' : `${more} more rules`,
      without: { more: undefined },
    });
  return chips;
}
