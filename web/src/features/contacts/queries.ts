import { queryOptions } from '@tanstack/react-query';
import { answer, backend } from '@/lib/supabase';

export const sorts = ['recent', 'name', 'message'] as const;
export type Sort = (typeof sorts)[number];
export const sortNames: Record<Sort, string> = {
  recent: 'Newest first',
  name: 'Name',
  message: 'Last message',
};

export const pageSizes = [25, 50, 100] as const;

export interface ContactsFilter {
  q: string;
  sort: Sort;
  page: number;
  size: number;
}

const COLUMNS =
  'id, full_name, username, phone, email, company, job_title, notes, avatar_url, source, opt_in_status, lifecycle_stage, last_message_at, created_at, updated_at, deleted_at, contact_tags(tags(id, name, color))';

/** `like` pattern for the generated `search_text`, which holds lower-case text and numbers without spaces. */
export function searchPattern(q: string): string {
  const words = q.trim().toLowerCase();
  const isNumber = /^[+\d(][\d\s()./-]*$/.test(words);
  // A number is kept with its country code, so the zero people dial within the country is not in it.
  const wanted = isNumber ? words.replaceAll(/\D/g, '').replace(/^0+(?=\d)/, '') : words;
  return `%${wanted.replaceAll(/[\\%_]/g, (sign) => `\\${sign}`)}%`;
}

export function contactsQuery(orgId: string, { q, sort, page, size }: ContactsFilter) {
  return queryOptions({
    queryKey: ['org', orgId, 'contacts', { q, sort, page, size }],
    queryFn: async () => {
      let query = backend()
        .from('contacts')
        .select(COLUMNS, { count: 'exact' })
        .eq('org_id', orgId)
        .is('deleted_at', null);
      if (q.trim()) query = query.like('search_text', searchPattern(q));
      if (sort === 'name') query = query.order('full_name', { ascending: true, nullsFirst: false });
      if (sort === 'message') query = query.order('last_message_at', { ascending: false, nullsFirst: false });
      if (sort === 'recent') query = query.order('created_at', { ascending: false });
      const { data, count, error } = await query
        .order('id', { ascending: false })
        .range((page - 1) * size, page * size - 1);
      if (error) throw error;
      return { rows: data, total: count ?? data.length };
    },
  });
}

export interface ContactRow {
  id: string;
  full_name: string | null;
  username: string | null;
  phone: string | null;
  email: string | null;
  company: string | null;
  job_title: string | null;
  notes: string | null;
  avatar_url: string | null;
  source: string;
  opt_in_status: string;
  lifecycle_stage: string;
  last_message_at: string | null;
  created_at: string;
  updated_at: string;
  deleted_at: string | null;
  contact_tags: { tags: { id: string; name: string; color: string } | null }[];
}

export function contactQuery(orgId: string, id: string) {
  return queryOptions({
    queryKey: ['org', orgId, 'contact', id],
    queryFn: () =>
      answer(backend().from('contacts').select(COLUMNS).eq('org_id', orgId).eq('id', id).single()),
  });
}

export function tagsQuery(orgId: string) {
  return queryOptions({
    queryKey: ['org', orgId, 'tags'],
    staleTime: 5 * 60_000,
    queryFn: () => answer(backend().from('tags').select('id, name, color').eq('org_id', orgId).order('name')),
  });
}

export const contactName = (contact: {
  full_name: string | null;
  username: string | null;
  phone: string | null;
}): string => contact.full_name ?? contact.username ?? contact.phone ?? 'Unknown contact';
