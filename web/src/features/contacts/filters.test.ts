import { describe, expect, it } from 'vitest';
import { chipsOf, filtersOf, rulesOf } from './filters';
import { contactsSearch } from './list-search';
import { countLeaves } from './rules';

const tags = [
  { id: 't1', name: 'VIP', color: '#e03131' },
  { id: 't2', name: 'Trial', color: '#1971c2' },
];

describe('the address', () => {
  it('keeps what it can read and drops the rest', () => {
    const search = contactsSearch.parse({
      q: 7,
      consent: ['opted_in'],
      tags: 'not a list',
      created_from: '2026-01-31',
      created_to: 'yesterday',
      conversation: 'perhaps',
      more: { all: [], any: [] },
      size: 5000,
      page: -1,
      sort: 'name',
    });
    expect(JSON.parse(JSON.stringify(search))).toEqual({
      q: '7',
      consent: ['opted_in'],
      created_from: '2026-01-31',
      sort: 'name',
    });
  });

  it('takes rules of any shape the contract knows', () => {
    const more = { any: [{ field: 'email', operator: 'is_empty' }, { none: [] }] };
    expect(contactsSearch.parse({ more }).more).toEqual(more);
  });
});

describe('rules', () => {
  it('are none when nothing is filtered', () => {
    expect(rulesOf(filtersOf({}))).toBeUndefined();
    expect(rulesOf(filtersOf({ consent: [], more: { all: [] } }))).toBeUndefined();
  });

  it('say every filter once', () => {
    expect(
      rulesOf({
        consent: ['opted_in', 'pending'],
        tags: ['t1'],
        source: ['import'],
        stage: ['lead'],
        conversation: 'no',
        more: { any: [{ field: 'email', operator: 'is_empty' }] },
      }),
    ).toEqual({
      all: [
        { field: 'opt_in_status', operator: 'is_one_of', value: ['opted_in', 'pending'] },
        { field: 'tags', operator: 'has_any_of', value: ['t1'] },
        { field: 'source', operator: 'is_one_of', value: ['import'] },
        { field: 'lifecycle_stage', operator: 'is_one_of', value: ['lead'] },
        { field: 'has_conversation', operator: 'is', value: false },
        { any: [{ field: 'email', operator: 'is_empty' }] },
      ],
    });
  });

  it.each([
    [{ created_from: '2026-03-01', created_to: '2026-03-31' }, 'between', ['2026-03-01', '2026-03-31']],
    [{ created_from: '2026-03-31', created_to: '2026-03-01' }, 'between', ['2026-03-01', '2026-03-31']],
    // "after" starts when its day is over, "before" ends when its day begins.
    [{ created_from: '2024-03-01' }, 'after', '2024-02-29'],
    [{ created_to: '2026-12-31' }, 'before', '2027-01-01'],
  ])('%j includes both ends', (filters, operator, value) => {
    expect(rulesOf(filters)).toEqual({ all: [{ field: 'created_at', operator, value }] });
  });
});

describe('chips', () => {
  it('are removed one by one', () => {
    const filters = { consent: ['opted_in', 'pending'], tags: ['t2', 'gone'] };
    const chips = chipsOf(filters, tags);
    expect(chips.map((chip) => chip.label)).toEqual(['Opted in', 'Pending', 'Tag: Trial', 'Tag: deleted']);
    expect(chips[0]?.without).toEqual({ consent: ['pending'] });
    expect(chips[2]?.without).toEqual({ tags: ['gone'] });
    expect(chipsOf({ consent: ['pending'] }, tags)[0]?.without).toEqual({ consent: undefined });
  });

  it('take a range away as one, and count more rules', () => {
    const chips = chipsOf(
      {
        message_from: '2026-01-01',
        message_to: '2026-02-01',
        more: {
          any: [{ field: 'email', operator: 'is_empty' }, { none: [{ field: 'x', operator: 'is' }] }],
        },
      },
      tags,
    );
    expect(chips.map((chip) => chip.key)).toEqual(['message', 'more']);
    expect(chips[0]?.without).toEqual({ message_from: undefined, message_to: undefined });
    expect(chips[1]?.label).toBe('2 more rules');
  });

  it('and rules agree on what counts as a filter', () => {
    const filters = filtersOf({ q: 'x', page: 3, trash: true, stage: ['lead'], conversation: 'yes' });
    expect(Object.keys(filters)).toEqual(['stage', 'conversation']);
    expect(countLeaves(rulesOf(filters) ?? { all: [] })).toBe(chipsOf(filters, tags).length);
  });
});
