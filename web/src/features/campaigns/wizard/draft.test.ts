import { describe, expect, it } from 'vitest';
import { detailSchema } from '../model';
import {
  canonical,
  changesBetween,
  type DraftValues,
  emptyVariant,
  equalShares,
  halfTypedStep,
  missingIn,
  shareProblem,
  valuesOf,
} from './draft';

const NOW = Date.parse('2026-11-23T10:00:00Z');

const detail = (campaign: object = {}, variants: object[] = []) =>
  detailSchema.parse({
    campaign: {
      id: 'c',
      org_id: 'o',
      name: 'Diwali',
      status: 'draft',
      uncertain_policy: 'miss',
      created_at: '2026-11-23T09:00:00Z',
      updated_at: '2026-11-23T09:00:00Z',
      ...campaign,
    },
    variants,
  });

const values = (change: Partial<DraftValues> = {}): DraftValues => ({ ...valuesOf(detail()), ...change });

describe('valuesOf', () => {
  it('reads a bare draft as one empty variant and nobody chosen', () => {
    expect(valuesOf(detail({ audience: {} }))).toMatchObject({ audience: null, variants: [emptyVariant] });
  });

  it('shows parts of any size as percent, in order', () => {
    const variants = [
      { position: 2, template_id: 'b', share: 1 },
      { position: 1, template_id: 'a', share: 1 },
      { position: 3, template_id: 'c', share: 1 },
    ];
    const read = valuesOf(detail({}, variants)).variants;
    expect(read.map(({ template_id, share }) => [template_id, share])).toEqual([
      ['a', 34],
      ['b', 33],
      ['c', 33],
    ]);
  });
});

describe('changesBetween', () => {
  it('sends only what differs, whatever the order of keys', () => {
    const saved = values({ quiet_hours: { from: '21:00', to: '09:00' } });
    const now = { ...saved, quiet_hours: { to: '09:00', from: '21:00' }, name: 'Deepavali' };
    expect(changesBetween(saved, now)).toEqual({ name: 'Deepavali' });
  });

  it('holds back what the database would refuse of any draft', () => {
    const saved = values();
    expect(changesBetween(saved, { ...saved, name: ' ' })).toEqual({});
    expect(changesBetween(saved, { ...saved, quiet_hours: { from: '09:00', to: '09:00' } })).toEqual({});
    expect(changesBetween(values({ quiet_hours: { from: '21:00', to: '09:00' } }), saved)).toEqual({
      quiet_hours: null,
    });
  });
});

describe('missingIn', () => {
  const ready = values({ whatsapp_account_id: 'n', audience: { segment_id: 's' } });

  it.each([
    ['setup', { name: '' }, /name/],
    ['setup', { whatsapp_account_id: null }, /number/],
    ['audience', { audience: null }, /who/],
    ['content', {}, /template/],
    ['schedule', { scheduled_at: '2026-11-23T09:59:00Z' }, /passed/],
    ['schedule', { quiet_hours: { from: '09:00', to: '09:00' } }, /Quiet/],
  ] as const)('%s says what it lacks: %j', (step, change, words) => {
    expect(missingIn(step, { ...ready, ...change } as DraftValues, NOW)).toMatch(words);
  });

  it('wants a value of every kind, and a default beside a field', () => {
    const at = (variables: object) =>
      missingIn(
        'content',
        { ...ready, variants: [{ ...emptyVariant, template_id: 't', variables } as never] },
        NOW,
      );
    expect(at({ 'body.1': { source: 'static', value: ' ' } })).toBeDefined();
    expect(at({ 'body.1': { source: 'contact', field: 'first_name', default: '' } })).toBeDefined();
    expect(at({ 'header.location': { source: 'static', value: {} } })).toBeDefined();
    expect(at({ 'body.1': { source: 'contact', field: 'first_name', default: 'friend' } })).toBeUndefined();
    expect(
      at({ 'header.location': { source: 'static', value: { latitude: 0, longitude: 0 } } }),
    ).toBeUndefined();
  });
});

it('shares are equal and whole, and said when they do not make a hundred', () => {
  const three = equalShares([emptyVariant, emptyVariant, emptyVariant]);
  expect(three.map(({ share }) => share)).toEqual([34, 33, 33]);
  expect(shareProblem(three)).toBeUndefined();
  expect(shareProblem(three.slice(0, 2))).toMatch('67 %');
});

it('canonical tells lists apart by order and objects by content', () => {
  expect(canonical({ a: 1, b: [1, 2] })).toBe(canonical({ b: [1, 2], a: 1 }));
  expect(canonical([1, 2])).not.toBe(canonical([2, 1]));
});

describe('a number that was emptied', () => {
  const whole = values({
    test: { percent: 20, hours: 6, measure: 'read', choose: 'manual' },
    holdout_percent: 10,
    variants: [
      { ...emptyVariant, template_id: 't', share: 50 },
      { ...emptyVariant, template_id: 'u', share: 50 },
    ],
  });
  it.each([
    ['schedule', { uncertain_hours: null }, 'Say after how many hours to decide.'],
    ['schedule', { attribution_days: null }, 'Say for how many days sales opportunities count.'],
    ['content', { holdout_percent: null }, 'Say how many percent are held out.'],
    ['content', { test: { ...whole.test, percent: null } }, 'Say how many percent get the test.'],
    [
      'content',
      { variants: [whole.variants[0], { ...whole.variants[1], share: null }] },
      'Each version needs at least 1 %.',
    ],
  ] as const)('%s asks for it and nothing is saved: %j', (step, change, words) => {
    const now = { ...whole, ...change } as DraftValues;
    expect(missingIn(step, whole, NOW)).toBeUndefined();
    expect(missingIn(step, now, NOW)).toBe(words);
    expect(halfTypedStep(now)).toBe(step);
    expect(changesBetween(whole, now)).toEqual({});
  });
});

it('a cleared or half-typed link keeps from going on', () => {
  const links = (link: string) =>
    values({ variants: [{ ...emptyVariant, template_id: 't', links: { 0: link } }] });
  for (const link of ['', 'https:', 'http://example.com']) {
    expect(missingIn('content', links(link), NOW)).toBe('Write every link in full.');
    expect(halfTypedStep(links(link))).toBe('content');
  }
  expect(missingIn('content', links('https://example.com'), NOW)).toBeUndefined();
  expect(halfTypedStep(links('https://example.com'))).toBeUndefined();
});
