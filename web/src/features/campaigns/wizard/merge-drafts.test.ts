import { describe, expect, it } from 'vitest';
import { detailSchema } from '../model';
import { type DraftValues, emptyVariant, valuesOf } from './draft';
import { changesHere, mergeChanges } from './merge-drafts';

const stored = (campaign: object, variants: object[] = []): DraftValues =>
  valuesOf(
    detailSchema.parse({
      campaign: {
        id: 'c',
        org_id: 'o',
        name: 'Diwali',
        status: 'draft',
        created_at: '2026-11-23T09:00:00Z',
        updated_at: 'v2',
        ...campaign,
      },
      variants,
    }),
  );

const chosen = { ...emptyVariant, template_id: 't' };
const shop = { position: 1, template_id: 't', share: 100, links: { 0: 'https://example.com/shop' } };
const worded = { ...chosen, variables: { 'body.1': { source: 'static' as const, value: 'x' } } };

describe('one’s own save, as the database writes it', () => {
  it.each([
    ['a name', { name: '' }, { name: ' Diwali ' }, stored({})],
    ['no description', { description: 'Old' }, { description: '  ' }, stored({ description: null })],
    [
      'a time',
      { scheduled_at: null },
      { scheduled_at: '2026-11-24T01:00:00.000Z' },
      stored({ scheduled_at: '2026-11-24T01:00:00+00:00' }),
    ],
  ])('%s is no clash', (_, was, mine, theirs) => {
    expect(mergeChanges(theirs, mine, [was])).toEqual(mine);
  });

  it('is known though more was typed before its answer came', () => {
    const [was, sent, mine] = [{ name: 'Old' }, { name: 'Diwali' }, { name: 'Diwali offer' }];
    expect(mergeChanges(stored({}), mine, [was])).toBeUndefined();
    expect(mergeChanges(stored({}), mine, [was, sent])).toEqual(mine);
  });
});

describe('links', () => {
  const there = { ...chosen, links: shop.links };

  it('that were not given here stay as they are there, whoever gave them', () => {
    const theirs = stored({}, [shop]);
    expect(mergeChanges(theirs, { variants: [chosen] }, [{ variants: [emptyVariant] }])).toEqual({
      variants: [there],
    });
    expect(mergeChanges(theirs, { variants: [worded] }, [{ variants: [chosen] }])).toEqual({
      variants: [{ ...worded, links: shop.links }],
    });
  });

  it('of another template do not come along', () => {
    const other = { ...emptyVariant, template_id: 'u' };
    expect(mergeChanges(stored({}, [shop]), { variants: [other] }, [{ variants: [there] }])).toEqual({
      variants: [other],
    });
  });
});

it('what only they changed is no question', () => {
  const mine = { name: 'Mine' };
  expect(mergeChanges(stored({ description: 'Theirs' }), mine, [{ name: 'Diwali' }])).toEqual(mine);
});

it('a test and its variants are changed together', () => {
  const saved = stored({});
  const now = { ...saved, variants: [chosen] };
  expect(Object.keys(changesHere(saved, { ...saved, name: 'Mine' }).changes)).toEqual(['name']);
  expect(Object.keys(changesHere(saved, now).changes)).toEqual(['variants', 'test']);
  const theirs = {
    ...saved,
    test: { percent: 20, hours: 4, measure: 'read', choose: 'automatic' },
  } as DraftValues;
  expect(
    mergeChanges(theirs, { variants: [chosen], test: null }, [{ variants: saved.variants, test: null }]),
  ).toBeUndefined();
});

it.each([
  ['a name', { name: 'Diwali' }, { name: 'Mine' }, stored({ name: 'Theirs' })],
  [
    'another hour',
    { scheduled_at: null },
    { scheduled_at: '2026-11-24T01:00:00.000Z' },
    stored({ scheduled_at: '2026-11-24T02:00:00+00:00' }),
  ],
  [
    'another link',
    { variants: [chosen] },
    { variants: [{ ...chosen, links: { 0: 'https://example.com/mine' } }] },
    stored({}, [shop]),
  ],
  [
    'another value',
    { variants: [chosen] },
    { variants: [worded] },
    stored({}, [{ ...shop, variables: { 'body.1': { source: 'static', value: 'y' } } }]),
  ],
])('%s that both changed is a clash', (_, was, mine, theirs) => {
  expect(mergeChanges(theirs, mine, [was])).toBeUndefined();
});
