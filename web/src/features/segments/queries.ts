import type { SupabaseClient } from '@supabase/supabase-js';
import { infiniteQueryOptions, queryOptions } from '@tanstack/react-query';
import type { Database } from '@/gen/database.types';
import { answer, backend } from '@/lib/supabase';
import {
  type Explanation,
  type Field,
  type Membership,
  makeGroup,
  type Option,
  type Person,
  type PinKind,
  type Preview,
  type RuleGroup,
  readRules,
  type Segment,
  type Selection,
  type Use,
} from './model';

/** Rules and explanations are jsonb, which the generated types know only as `Json`; `model.ts` says their shapes. */
const untyped = () => backend() as unknown as SupabaseClient;

const call = async <T>(
  name: keyof Database['public']['Functions'],
  parameters: Record<string, unknown>,
  signal?: AbortSignal,
): Promise<T> => {
  const request = untyped().rpc(name, parameters);
  return (await answer(signal ? request.abortSignal(signal) : request)) as T;
};

const COLUMNS =
  'id, org_id, name, description, kind, rules, member_count, evaluated_at, created_at, updated_at';
const PERSON = 'id, full_name, username, phone, email, company, avatar_url';

export const segmentKey = (orgId: string, ...more: unknown[]) => ['org', orgId, 'segments', ...more] as const;

export function segmentsQuery(orgId: string) {
  return queryOptions({
    queryKey: segmentKey(orgId, 'list'),
    queryFn: async () =>
      (await answer(
        untyped().from('segments').select(COLUMNS).eq('org_id', orgId).order('name'),
      )) as unknown as Segment[],
  });
}

export function segmentQuery(orgId: string, id: string) {
  return queryOptions({
    queryKey: segmentKey(orgId, 'one', id),
    queryFn: async () =>
      (await answer(
        untyped().from('segments').select(COLUMNS).eq('org_id', orgId).eq('id', id).single(),
      )) as unknown as Segment,
  });
}

/** The sentence names tags and other segments, which may be renamed: it is asked again after a while. */
export function sentenceQuery(orgId: string, segment: Pick<Segment, 'id' | 'updated_at'>) {
  return queryOptions({
    queryKey: segmentKey(orgId, 'sentence', segment.id, segment.updated_at),
    staleTime: 60_000,
    queryFn: () => call<string>('segment_sentence', { p_id: segment.id }),
  });
}

interface Summary {
  id: string;
  /** null for a static segment. */
  sentence: string | null;
  used_by: Use[];
}

/** Sentences and uses of every segment in one question: what the list shows beside each row. */
export function summariesQuery(orgId: string) {
  return queryOptions({
    queryKey: segmentKey(orgId, 'summaries'),
    staleTime: 60_000,
    queryFn: async () => {
      const summaries = await call<Summary[]>('segment_summaries', { p_org_id: orgId });
      return new Map(summaries.map((summary) => [summary.id, summary]));
    },
  });
}

export function usageQuery(orgId: string, id: string) {
  return queryOptions({
    queryKey: segmentKey(orgId, 'usage', id),
    staleTime: 60_000,
    queryFn: () => call<Use[]>('segment_usage', { p_id: id }),
  });
}

interface CatalogField extends Omit<Field, 'options'> {
  options?: (string | Option)[] | null;
}

export function catalogQuery(orgId: string) {
  return queryOptions({
    queryKey: ['org', orgId, 'segment-catalog'],
    staleTime: 60_000,
    queryFn: async (): Promise<Field[]> => {
      const fields = await call<CatalogField[]>('segment_catalog', { p_org_id: orgId });
      return fields.map((field) => ({
        ...field,
        options: (field.options ?? []).map((option) =>
          typeof option === 'string' ? { value: option, label: option } : option,
        ),
      }));
    },
  });
}

/** Asked again for each change of the rules; one that is outdated is taken back from the server. */
export function previewQuery(orgId: string, rules: RuleGroup) {
  return queryOptions({
    queryKey: ['org', orgId, 'segment-preview', JSON.stringify(rules)],
    staleTime: 10_000,
    gcTime: 60_000,
    queryFn: ({ signal }) => call<Preview>('preview_segment', { p_org_id: orgId, p_rules: rules }, signal),
  });
}

export const inSegment = (id: string): RuleGroup =>
  makeGroup('all', [{ field: 'segment', operator: 'is_in', value: id }]);

export const MEMBERS_A_PAGE = 50;

export function membersQuery(orgId: string, id: string) {
  return infiniteQueryOptions({
    queryKey: segmentKey(orgId, 'members', id),
    initialPageParam: null as string | null,
    queryFn: async ({ pageParam, signal }) =>
      (await answer(
        untyped()
          .rpc('segment_members', {
            p_segment_id: id,
            p_limit: MEMBERS_A_PAGE,
            ...(pageParam && { p_after: pageParam }),
          })
          .select(PERSON)
          .abortSignal(signal),
      )) as unknown as Person[],
    getNextPageParam: (page: Person[]) => (page.length < MEMBERS_A_PAGE ? undefined : page.at(-1)?.id),
  });
}

/** Contacts by name, number, e-mail or company; within some rules when given. */
export function peopleQuery(orgId: string, search: string, rules: RuleGroup | null, limit = 25) {
  return queryOptions({
    queryKey: segmentKey(orgId, 'people', search, rules && JSON.stringify(rules), limit),
    queryFn: ({ signal }) =>
      call<{ total: number; contacts: Person[] }>(
        'list_contacts',
        {
          p_org_id: orgId,
          ...(search && { p_search: search }),
          ...(rules && { p_rules: rules }),
          p_sort: 'created_at',
          p_descending: true,
          p_limit: limit,
          p_offset: 0,
        },
        signal,
      ),
  });
}

export function personQuery(orgId: string, id: string) {
  return queryOptions({
    queryKey: ['org', orgId, 'contact', id, 'person'],
    queryFn: async () =>
      (await answer(
        untyped().from('contacts').select(PERSON).eq('org_id', orgId).eq('id', id).single(),
      )) as unknown as Person,
  });
}

export interface Pin {
  contact_id: string;
  kind: PinKind;
  created_at: string;
  contacts: Person | null;
}

export function pinsQuery(orgId: string, id: string) {
  return queryOptions({
    queryKey: segmentKey(orgId, 'pins', id),
    queryFn: async () =>
      (await answer(
        untyped()
          .from('segment_pins')
          .select(`contact_id, kind, created_at, contacts(${PERSON})`)
          .eq('org_id', orgId)
          .eq('segment_id', id)
          .order('created_at', { ascending: false }),
      )) as unknown as Pin[],
  });
}

export function explainQuery(orgId: string, segmentId: string, contactId: string) {
  return queryOptions({
    queryKey: segmentKey(orgId, 'explain', segmentId, contactId),
    staleTime: 0,
    queryFn: () => call<Explanation>('explain_segment', { p_segment_id: segmentId, p_contact_id: contactId }),
  });
}

export function contactSegmentsQuery(orgId: string, contactId: string) {
  return queryOptions({
    queryKey: segmentKey(orgId, 'of-contact', contactId),
    queryFn: () => call<Membership[]>('contact_segments', { p_contact_id: contactId }),
  });
}

export interface SegmentChange {
  name: string;
  description: string | null;
  rules: RuleGroup | null;
}

export const createSegment = (
  orgId: string,
  { name, description, rules }: SegmentChange,
  selection?: Selection,
): Promise<Segment> =>
  call('create_segment', {
    p_org_id: orgId,
    p_name: name,
    p_kind: selection ? 'static' : 'dynamic',
    ...(selection ? { p_selection: selection } : { p_rules: rules }),
    ...(description && { p_description: description }),
  });

export const updateSegment = (
  id: string,
  { name, description, rules }: SegmentChange,
  expected: string,
): Promise<Segment> =>
  call('update_segment', {
    p_id: id,
    p_name: name,
    p_rules: rules,
    p_description: description,
    p_expected_updated_at: expected,
  });

export async function deleteSegment(id: string): Promise<void> {
  const { error } = await untyped().rpc('delete_segment', { p_id: id });
  if (error) throw error;
}

export async function pinContacts(id: string, contactIds: string[], kind: PinKind | null): Promise<void> {
  const { error } = await untyped().rpc('pin_segment_contacts', {
    p_segment_id: id,
    p_contact_ids: contactIds,
    p_kind: kind,
  });
  if (error) throw error;
}

/** Rows of `segments` come with rules as the database keeps them; a static one has none. */
export const rulesOf = (segment: Pick<Segment, 'rules'>): RuleGroup | undefined => readRules(segment.rules);

export const personName = (person: Pick<Person, 'full_name' | 'username' | 'phone'>): string =>
  person.full_name ?? person.username ?? person.phone ?? 'Unknown contact';
