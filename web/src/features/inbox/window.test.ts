import { describe, expect, it } from 'vitest';
import { windowState } from './window';

const now = Date.parse('2026-11-23T10:00:00Z');
const inMinutes = (minutes: number) => new Date(now + minutes * 60_000).toISOString();

describe('windowState', () => {
  it.each([
    [23 * 60, 'open', '23h'],
    [4 * 60 + 1, 'open', '4h'],
    [4 * 60, 'soon', '4h'],
    [61, 'soon', '1h'],
    [60, 'urgent', '1h'],
    [45, 'urgent', '45m'],
    [0.5, 'urgent', '<1m'],
    [0, 'closed', 'Closed'],
    [-10, 'closed', 'Closed'],
  ])('%d minutes left is %s, shown as %s', (minutes, level, short) => {
    expect(windowState(inMinutes(minutes), now)).toMatchObject({ level, short });
  });

  it('says why there is no window before the first message', () => {
    expect(windowState(null, now)).toMatchObject({
      level: 'closed',
      long: expect.stringContaining('Hasn’t written'),
    });
  });
});
