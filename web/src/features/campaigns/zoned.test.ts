import { describe, expect, it } from 'vitest';
import { momentOf, rowWords, wallTime } from './zoned';

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

describe('rowWords', () => {
  const at = '2026-11-24T01:00:00Z';
  const now = Date.parse('2026-11-23T16:30:00Z');

  it('is the time and the day of the zone, whatever the browser’s', () => {
    // Half past midnight of the 24th there, so it is today.
    expect(rowWords(at, 'Asia/Kuala_Lumpur', 'Asia/Kuala_Lumpur', now)).toMatch(/^0?9:00( AM)?$/);
    expect(rowWords(at, 'Asia/Kolkata', 'Asia/Kolkata', now)).toMatch(/^0?6:30( AM)? on .*\b24\b.*2026$/);
  });

  it('names the zone where it is not the organisation’s', () => {
    expect(rowWords(at, 'Asia/Kuala_Lumpur', 'Europe/Berlin', now)).toMatch(
      /^0?9:00( AM)? \(Asia\/Kuala Lumpur\)$/,
    );
  });
});
