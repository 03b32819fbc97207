import { describe, expect, it } from 'vitest';
import {
  finishedRules,
  isBlank,
  leafCount,
  pathInWhole,
  type RuleGroup,
  readRules,
  unfinishedProblems,
} from './model';

const done = { field: 'email', operator: 'is_empty' };
const half = { field: 'email', operator: 'is', value: null };
const fresh = { field: '', operator: '', value: null };

describe('rules still being written', () => {
  const rules: RuleGroup = { all: [half, done, { any: [fresh] }, { any: [fresh, done] }] };

  it('are left out of what is counted, with the groups that held nothing else', () => {
    expect(finishedRules(rules)).toEqual({ all: [done, { any: [done] }] });
    expect(leafCount(rules) - leafCount(finishedRules(rules))).toBe(3);
  });

  it('leave an empty group that somebody made as it is', () => {
    expect(finishedRules({ all: [{ any: [] }] })).toEqual({ all: [{ any: [] }] });
  });

  it('are told where they stand', () => {
    expect(unfinishedProblems(rules).map(({ path }) => path)).toEqual([
      '/all/0/value',
      '/all/2/any/0/field',
      '/all/3/any/0/field',
    ]);
    expect(unfinishedProblems({ all: [{ none: [] }] })[0]?.path).toBe('/all/0');
    expect(unfinishedProblems({ all: [done] })).toEqual([]);
  });

  it('do not shift the problems found in the finished ones', () => {
    expect(pathInWhole(rules, '/all/0/operator')).toBe('/all/1/operator');
    expect(pathInWhole(rules, '/all/1/any/0/value')).toBe('/all/3/any/1/value');
    expect(pathInWhole(rules, '/all/1')).toBe('/all/3');
    expect(pathInWhole(rules, '')).toBe('');
    expect(pathInWhole({ all: [done] }, '/all/0/value/amount')).toBe('/all/0/value/amount');
  });
});

describe('values', () => {
  it('are blank while a part is missing', () => {
    for (const blank of [undefined, null, '', [], [null, null], [1, null], { amount: null, unit: 'days' }])
      expect(isBlank(blank)).toBe(true);
    for (const full of [0, false, ' ', ['a'], [0, 1], { amount: 3, unit: 'days' }])
      expect(isBlank(full)).toBe(false);
  });
});

describe('rules from outside', () => {
  it('are taken when they are rules, and refused otherwise', () => {
    const rules = { any: [done, { none: [{ field: 'tags', operator: 'has_any_of', value: ['x'] }] }] };
    expect(readRules(JSON.parse(JSON.stringify(rules)))).toEqual(rules);
    for (const nonsense of [null, 3, 'all', [], {}, { all: 1 }, { all: [3] }, { field: 'a', operator: 'is' }])
      expect(readRules(nonsense)).toBeUndefined();
  });

  it('are refused when nested without end', () => {
    let deep: unknown = { all: [] };
    for (let level = 0; level < 5_000; level += 1) deep = { all: [deep] };
    expect(readRules(deep)).toBeUndefined();
  });
});
