import { describe, expect, it } from 'vitest';
import { momentOf, wallTime } from './zoned';

describe('momentOf', () => {
  it('is the moment at which the zone’s clocks show that time', () => {
    expect(momentOf('2026-11-24T09:00', 'Asia/Kuala_Lumpur')).toBe('2026-11-24T01:00:00.000Z');
    expect(momentOf('2026-07-01T09:00', 'America/New_York')).toBe('2026-07-01T13:00:00.000Z');
    expect(momentOf('2026-01-01T09:00', 'Asia/Kathmandu')).toBe('2026-01-01T03:15:00.000Z');
  });

  it('moves a skipped time behind the gap and takes the first of a doubled one', () => {
    // Berlin skips 02:00–03:00 on 29 March 2026 and repeats it on 25 October.
    expect(momentOf('2026-03-29T02:30', 'Europe/Berlin')).toBe('2026-03-29T01:30:00.000Z');
    expect(momentOf('2026-10-25T02:30', 'Europe/Berlin')).toBe('2026-10-25T00:30:00.000Z');
  });

  it('goes there and back over a whole year of a zone with changes', () => {
    for (let day = 0; day < 365; day += 1) {
      const at = Date.UTC(2026, 0, 1, 12) + day * 86_400_000;
      expect(momentOf(wallTime(at, 'Australia/Lord_Howe'), 'Australia/Lord_Howe')).toBe(
        new Date(at).toISOString(),
      );
    }
  });

  it('refuses what is no time', () => {
    expect(momentOf('', 'UTC')).toBeUndefined();
    expect(momentOf('2026-02-31', 'UTC')).toBeUndefined();
  });
});
