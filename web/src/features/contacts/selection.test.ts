import { describe, expect, it } from 'vitest';
import { between, isTicked, nothing, selectionOf, tick, tickedCount } from './selection';

describe('ticking', () => {
  it('gathers rows across pages', () => {
    const ticked = tick(tick(nothing, ['a', 'b'], true), ['c'], true);
    expect(tickedCount(ticked, 500)).toBe(3);
    expect(selectionOf(tick(ticked, ['b'], false), { search: 'x' })).toEqual({ ids: ['a', 'c'] });
  });

  it('of everything remembers who was taken out', () => {
    const all = { kind: 'all', except: new Set<string>() } as const;
    const fewer = tick(all, ['b'], false);
    expect(isTicked(fewer, 'a')).toBe(true);
    expect(isTicked(fewer, 'b')).toBe(false);
    expect(tickedCount(fewer, 12_480)).toBe(12_479);
    expect(selectionOf(fewer, { search: 'aina', rules: { all: [] } })).toEqual({
      search: 'aina',
      rules: { all: [] },
      except: ['b'],
    });
    expect(selectionOf(tick(fewer, ['b'], true), {})).toEqual({});
  });

  it('never changes what was there before', () => {
    const before = tick(nothing, ['a'], true);
    tick(before, ['b'], true);
    expect(selectionOf(before, {})).toEqual({ ids: ['a'] });
  });
});

it.each([
  ['b', 'd', ['b', 'c', 'd']],
  ['d', 'b', ['b', 'c', 'd']],
  [undefined, 'c', ['c']],
  ['on another page', 'c', ['c']],
])('from %s to %s', (from, to, rows) => expect(between(['a', 'b', 'c', 'd'], from, to)).toEqual(rows));
