import { describe, expect, it } from 'vitest';
import { countries, localCountry, timeZones } from './places';

describe('localCountry', () => {
  it.each([
    ['Asia/Kuala_Lumpur', 'en-US', 'MY'],
    ['Asia/Singapore', 'en-US', 'SG'],
    ['Europe/Berlin', 'de-DE', 'DE'],
    ['America/New_York', 'en-US', 'US'],
    ['America/Toronto', 'en-CA', 'CA'],
    ['UTC', 'en-US', 'MY'],
    ['Asia/Kuala_Lumpur', 'ms', 'MY'],
  ])('%s with %s is %s', (zone, language, country) => expect(localCountry(zone, language)).toBe(country));
});

it('lists countries and no groups or withdrawn codes', () => {
  const codes = countries().map((country) => country.value);
  expect(codes).toEqual(expect.arrayContaining(['MY', 'SG', 'GB', 'US']));
  for (const code of ['UK', 'SU', 'EU', 'UN', 'ZZ', 'DD']) expect(codes).not.toContain(code);
  expect(new Set(countries().map((country) => country.label)).size).toBe(codes.length);
});

it('knows the default time zone', () => expect(timeZones()).toContain('Asia/Kuala_Lumpur'));
