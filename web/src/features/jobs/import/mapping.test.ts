import { describe, expect, it } from 'vitest';
import type { CustomField } from '@/features/contacts/custom-fields';
import type { Inspection } from '../model';
import {
  fieldChoices,
  fieldLabel,
  fileProblem,
  mappingOf,
  mappingProblems,
  pathName,
  suggested,
} from './mapping';

const own = (key: string, archived = false): CustomField => ({
  id: key,
  key,
  label: key.toUpperCase(),
  type: 'text',
  options: [],
  position: 0,
  archived_at: archived ? '2026-01-01T00:00:00Z' : null,
});
const groups = fieldChoices([own('plan'), own('old', true)]);

const inspection = (...fields: (string | null)[]): Inspection => ({
  encoding: 'utf-8',
  delimiter: ',',
  sheet: null,
  has_header: true,
  columns: fields.map((field, index) => ({ index, name: `c${index}`, sample: [], suggested: field })),
  preview: [],
  rows_estimate: 2,
});

describe('suggestions', () => {
  it('are taken once each, what can be joined as often as it comes, and only where the field exists', () => {
    expect(
      suggested(
        inspection('phone', 'phone', 'tags', 'tags', 'custom.plan', 'custom.old', 'nonsense', null),
        groups,
      ),
    ).toEqual({ 0: 'phone', 1: null, 2: 'tags', 3: 'tags', 4: 'custom.plan', 5: null, 6: null, 7: null });
  });

  it('offer own fields that are in use', () => {
    expect(groups.map((group) => group.group)).toEqual(['Contact', 'Address', 'Your fields']);
    expect(fieldLabel(groups, 'custom.plan')).toBe('PLAN');
    expect(fieldLabel(groups, 'custom.old')).toBe('custom.old');
    expect(fieldChoices([]).map((group) => group.group)).toEqual(['Contact', 'Address']);
  });
});

describe('a mapping', () => {
  it('leaves columns out and keeps their order', () => {
    expect(mappingOf({ 10: 'email', 2: 'phone', 3: null })).toEqual([
      { index: 2, field: 'phone' },
      { index: 10, field: 'email' },
    ]);
  });

  it('needs a phone, and one column a field', () => {
    expect(mappingProblems({ 0: 'email', 1: 'email' })).toEqual({
      whole: expect.stringContaining('phone'),
      columns: { 1: expect.stringContaining('Another column') },
    });
    expect(
      mappingProblems({ 0: 'phone', 1: 'tags', 2: 'tags', 3: null, 4: 'full_name', 5: 'full_name' }),
    ).toEqual({
      whole: null,
      columns: {},
    });
  });
});

it.each([
  ['list.csv', 10, true],
  ['LIST.XLSX', 10 * 1024 * 1024, true],
  ['list.xls', 10, false],
  ['list.csv', 10 * 1024 * 1024 + 1, false],
  ['list.csv', 0, false],
])('%s of %d bytes is taken: %s', (name, size, taken) =>
  expect(fileProblem({ name, size }) === null).toBe(taken),
);

it.each([
  ['My list (2).CSV', 'My-list-2.csv'],
  ['../../etc/passwd.csv', 'etc-passwd.csv'],
  ['名簿.xlsx', 'contacts.xlsx'],
  [`${'a'.repeat(200)}.csv`, `${'a'.repeat(80)}.csv`],
])('%s is stored as %s', (name, stored) => expect(pathName(name)).toBe(stored));
