import { notifications } from '@mantine/notifications';
import { useMutation, useQueryClient } from '@tanstack/react-query';
import { useState } from 'react';
import { useOrg } from '@/features/tenancy/queries';
import { describeError } from '@/lib/errors';
import { call } from './api';
import type { Contact } from './model';
import { contactKey } from './queries';

/** One field of a contact: a column, or `custom_fields.<key>`. */
export type Path = string;

export interface Edit {
  path: Path;
  label: string;
  value: unknown;
  /** What stood there when the person began to type, and the version it was of. */
  base: unknown;
  expected: string;
}

type Row = Omit<Contact, 'tags'>;

const CUSTOM = 'custom_fields.';

export function readPath(contact: Partial<Row>, path: Path): unknown {
  const value = path.startsWith(CUSTOM)
    ? contact.custom_fields?.[path.slice(CUSTOM.length)]
    : contact[path as keyof Row];
  return value ?? null;
}

export function writePath<T extends Partial<Row>>(contact: T, path: Path, value: unknown): T {
  if (!path.startsWith(CUSTOM)) return { ...contact, [path]: value };
  return { ...contact, custom_fields: { ...contact.custom_fields, [path.slice(CUSTOM.length)]: value } };
}

export const fieldsOf = ({ path, value }: Pick<Edit, 'path' | 'value'>): Record<string, unknown> =>
  path.startsWith(CUSTOM) ? { custom_fields: { [path.slice(CUSTOM.length)]: value } } : { [path]: value };

const canonical = (value: unknown): unknown => {
  if (Array.isArray(value)) return [...value].sort();
  if (value && typeof value === 'object')
    return Object.entries(value)
      .filter(([, part]) => part !== null && part !== '')
      .sort(([a], [b]) => a.localeCompare(b));
  return value === '' ? null : (value ?? null);
};

export const sameValue = (a: unknown, b: unknown): boolean =>
  JSON.stringify(canonical(a)) === JSON.stringify(canonical(b));

/** Whether the other person's version really differs in the field we changed; else ours can simply be sent again. */
export function clashes(edit: Edit, theirs: Partial<Row>): boolean {
  const now = readPath(theirs, edit.path);
  return !sameValue(now, edit.base) && !sameValue(now, edit.value);
}

/** What is wrong with the value, in the database's own words where it names the field. */
export function fieldProblem(error: unknown): string {
  const { message, details } = describeError(error);
  return typeof details.problem === 'string' ? details.problem : message;
}

export interface Clash {
  edit: Edit;
  theirs: unknown;
  /** The version a choice of ours replaces. */
  version: string;
}

/** More overtakings than this within one edit are somebody's script; the person is told instead. */
const TRIES = 4;

export async function sendEdit(
  edit: Edit,
  update: (fields: Record<string, unknown>, expected: string) => Promise<Row>,
): Promise<Row> {
  let expected = edit.expected;
  for (let attempt = 1; ; attempt += 1) {
    try {
      return await update(fieldsOf(edit), expected);
    } catch (error) {
      const theirs = staleVersion(error);
      if (!theirs || attempt >= TRIES || clashes(edit, theirs)) throw error;
      expected = theirs.updated_at;
    }
  }
}

function staleVersion(error: unknown): Row | undefined {
  const { code, details } = describeError(error);
  const theirs = details.contact as Row | undefined;
  return code === 'CONTACT_006' && typeof theirs?.updated_at === 'string' ? theirs : undefined;
}

/** Edits field by field: shown at once, taken back when refused; a field changed by two people is put before the second. */
export function useEditContact(contactId: string) {
  const { orgId } = useOrg();
  const queryClient = useQueryClient();
  const key = contactKey(orgId, contactId);
  const [clash, setClash] = useState<Clash>();
  const set = (change: (contact: Contact) => Contact) =>
    queryClient.setQueryData<Contact>(key, (old) => (old ? change(old) : old));

  const mutation = useMutation({
    // One after the other, so that a second edit starts from what the first one left.
    scope: { id: `contact ${contactId}` },
    mutationFn: (edit: Edit) =>
      sendEdit(edit, (fields, expected) =>
        call<Row>('update_contact', { p_id: contactId, p_fields: fields, p_expected_updated_at: expected }),
      ),
    onMutate: async (edit) => {
      await queryClient.cancelQueries({ queryKey: key, exact: true });
      const before = queryClient.getQueryData<Contact>(key);
      set((contact) => writePath(contact, edit.path, edit.value));
      return { before: before ? readPath(before, edit.path) : edit.base };
    },
    onSuccess: ({ updated_at, ...row }, edit) => {
      setClash(undefined);
      set((contact) => ({
        ...writePath(contact, edit.path, readPath({ updated_at, ...row }, edit.path)),
        updated_at,
      }));
    },
    onError: (error, edit, context) => {
      const theirs = staleVersion(error);
      if (theirs) {
        set((contact) => ({ ...contact, ...theirs, tags: contact.tags }));
        setClash({ edit, theirs: readPath(theirs, edit.path), version: theirs.updated_at });
        return;
      }
      set((contact) => writePath(contact, edit.path, context?.before ?? edit.base));
      notifications.show({
        color: 'red',
        title: `${edit.label} was not saved`,
        message: fieldProblem(error),
      });
    },
    onSettled: () => {
      void queryClient.invalidateQueries({ queryKey: key });
      void queryClient.invalidateQueries({ queryKey: ['org', orgId, 'contacts'] });
      void queryClient.invalidateQueries({ queryKey: ['org', orgId, 'conversation'] });
    },
  });
  return {
    save: mutation.mutateAsync,
    clash,
    keepTheirs: () => setClash(undefined),
    useMine: () => {
      if (clash) mutation.mutate({ ...clash.edit, base: clash.theirs, expected: clash.version });
    },
  };
}

export type Save = (edit: Edit) => Promise<unknown>;
