import { describe, expect, it } from 'vitest';
import { detailSchema } from '../model';
import { type DraftValues, emptyVariant, valuesOf } from './draft';
import { isClash } from './merge-drafts';

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
    [
      'a template with links of its own',
      { variants: [emptyVariant] },
      { variants: [chosen] },
      stored({}, [shop]),
    ],
  ])('%s is no clash', (_, was, mine, theirs) => {
    expect(isClash(was, mine, theirs)).toBe(false);
  });
});

it('what only they changed is no clash', () => {
  expect(isClash({ name: 'Diwali' }, { name: 'Mine' }, stored({ description: 'Theirs' }))).toBe(false);
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
    'a link, while a value was changed here',
    { variants: [chosen] },
    { variants: [{ ...chosen, variables: { 'body.1': { source: 'static' as const, value: 'x' } } }] },
    stored({}, [shop]),
  ],
])('%s that both changed is one', (_, was, mine, theirs) => {
  expect(isClash(was, mine, theirs)).toBe(true);
});
