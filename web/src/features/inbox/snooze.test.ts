import { expect, it } from 'vitest';
import { snoozeChoices } from './snooze';

it.each([
  ['2026-11-22T10:00:00', 23],
  ['2026-11-23T10:00:00', 30],
  ['2026-11-28T23:59:00', 30],
])('from %s next Monday is the %ith', (now, day) => {
  const monday = snoozeChoices(new Date(now)).at(-1)?.until;
  expect(monday?.getDay()).toBe(1);
  expect(monday?.getDate()).toBe(day);
});

it('offers only times to come', () => {
  const now = new Date('2026-11-23T23:30:00');
  for (const { until } of snoozeChoices(now)) expect(until.getTime()).toBeGreaterThan(now.getTime());
});
