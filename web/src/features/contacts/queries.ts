import { infiniteQueryOptions, queryOptions } from '@tanstack/react-query';
import { answer, backend } from '@/lib/supabase';
import { call, table } from './api';
import type { CustomField, CustomValue } from './custom-fields';
import { type Direction, defaultDirection, type Sort } from './list-search';
import type { Address, Contact, Tag } from './model';
import type { Group } from './rules';

export { contactName } from './model';

export interface ContactsAsked {
  q: string;
  sort: Sort;
  dir?: Direction;
  page: number;
  size: number;
  rules?: Group;
  trash?: boolean;
}

const sortColumns: Record<Sort, string> = {
  recent: 'created_at',
  name: 'name',
  message: 'last_message_at',
  phone: 'phone',
};

interface ListAnswer {
  total: number;
  total_is_minimum: boolean;
  contacts: Contact[];
}

export function contactsQuery(orgId: string, asked: ContactsAsked) {
  const { q, sort, dir = defaultDirection[sort], page, size, rules, trash = false } = asked;
  return queryOptions({
    queryKey: ['org', orgId, 'contacts', { q: q.trim(), sort, dir, page, size, rules, trash }],
    queryFn: async () => {
      const answer = await call<ListAnswer>('list_contacts', {
        p_org_id: orgId,
        p_search: q.trim() || undefined,
        p_rules: rules,
        p_sort: sortColumns[sort],
        p_descending: dir === 'desc',
        p_limit: size,
        p_offset: (page - 1) * size,
        p_trash: trash,
      });
      return { total: answer.total, isMinimum: answer.total_is_minimum, rows: answer.contacts };
    },
  });
}

export const contactKey = (orgId: string, id: string) => ['org', orgId, 'contact', id] as const;

export function contactQuery(orgId: string, id: string) {
  return queryOptions({
    queryKey: contactKey(orgId, id),
    queryFn: async (): Promise<Contact> => {
      const {
        contact_tags,
        search_text: _,
        ...row
      } = await answer(
        backend()
          .from('contacts')
          .select('*, contact_tags(tags(id, name, color))')
          .eq('org_id', orgId)
          .eq('id', id)
          .single(),
      );
      return {
        ...row,
        address: row.address as Address | null,
        custom_fields: row.custom_fields as Record<string, CustomValue>,
        tags: contact_tags
          .flatMap((each) => each.tags ?? [])
          .sort((a, b) => a.name.localeCompare(b.name, undefined, { sensitivity: 'base' })),
      };
    },
  });
}

export function tagsQuery(orgId: string) {
  return queryOptions({
    queryKey: ['org', orgId, 'tags'],
    staleTime: 5 * 60_000,
    queryFn: (): Promise<Tag[]> =>
      answer(backend().from('tags').select('id, name, color').eq('org_id', orgId).order('name')),
  });
}

/** All fields, archived ones last; pages show those in use. */
export function customFieldsQuery(orgId: string) {
  return queryOptions({
    queryKey: ['org', orgId, 'custom-fields'],
    staleTime: 5 * 60_000,
    queryFn: async (): Promise<CustomField[]> => {
      return answer(
        table('custom_field_definitions')
          .select('id, key, label, type, options, position, archived_at')
          .eq('org_id', orgId)
          .order('position')
          .order('label') as PromiseLike<{ data: CustomField[] | null; error: unknown }>,
      );
    },
  });
}

export interface TimelineEvent {
  id: string;
  kind: string;
  at: string;
  actor_id: string | null;
  actor_name: string | null;
  data: Record<string, unknown>;
}

export const TIMELINE_PAGE = 20;

export function timelineQuery(orgId: string, contactId: string) {
  return infiniteQueryOptions({
    queryKey: [...contactKey(orgId, contactId), 'timeline'],
    initialPageParam: null as string | null,
    queryFn: ({ pageParam }) =>
      call<{ events: TimelineEvent[]; next: string | null }>('contact_timeline', {
        p_contact_id: contactId,
        p_limit: TIMELINE_PAGE,
        p_before: pageParam ?? undefined,
      }),
    getNextPageParam: (last) => last.next,
  });
}

export interface ConsentChange {
  id: string;
  old_status: string | null;
  new_status: string;
  source: string | null;
  evidence: string | null;
  actor_id: string | null;
  created_at: string;
}

export function consentHistoryQuery(orgId: string, contactId: string) {
  return queryOptions({
    queryKey: [...contactKey(orgId, contactId), 'consents'],
    queryFn: async (): Promise<ConsentChange[]> => {
      return answer(
        table('contact_consents')
          .select('id, old_status, new_status, source, evidence, actor_id, created_at')
          .eq('org_id', orgId)
          .eq('contact_id', contactId)
          .order('created_at', { ascending: false })
          .limit(50) as PromiseLike<{ data: ConsentChange[] | null; error: unknown }>,
      );
    },
  });
}

/** How many contacts carry each tag. */
export function tagUsageQuery(orgId: string) {
  return queryOptions({
    queryKey: ['org', orgId, 'tag-usage'],
    queryFn: async () => {
      const rows = await answer(
        table('tag_usage').select('tag_id, contacts').eq('org_id', orgId) as PromiseLike<{
          data: { tag_id: string; contacts: number }[] | null;
          error: unknown;
        }>,
      );
      return new Map(rows.map((row) => [row.tag_id, row.contacts]));
    },
  });
}

export interface ConsentKeywords {
  stop: string[];
  start: string[];
}

export function consentKeywordsQuery(orgId: string) {
  return queryOptions({
    queryKey: ['org', orgId, 'consent-keywords'],
    queryFn: async (): Promise<ConsentKeywords> => {
      const rows = await answer(
        table('consent_keywords').select('kind, word').eq('org_id', orgId).order('word') as PromiseLike<{
          data: { kind: string; word: string }[] | null;
          error: unknown;
        }>,
      );
      const of = (kind: string) => rows.filter((row) => row.kind === kind).map((row) => row.word);
      return { stop: of('stop'), start: of('start') };
    },
  });
}
