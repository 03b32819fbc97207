import { clockTime } from '@/lib/time';
import { whenWords } from './words';

/** Wall clocks of any time zone, by what the browser knows of them. */

const parts = new Map<string, Intl.DateTimeFormat>();

function formatOf(zone: string): Intl.DateTimeFormat {
  let format = parts.get(zone);
  if (!format) {
    format = new Intl.DateTimeFormat('en-GB', {
      timeZone: zone,
      year: 'numeric',
      month: '2-digit',
      day: '2-digit',
      hour: '2-digit',
      minute: '2-digit',
      hourCycle: 'h23',
    });
    parts.set(zone, format);
  }
  return format;
}

/** What a clock in the zone shows, as a field of date and time takes it: `2026-11-24T09:00`. */
export function wallTime(at: string | number, zone: string): string {
  const found = Object.fromEntries(
    formatOf(zone)
      .formatToParts(new Date(at))
      .map(({ type, value }) => [type, value]),
  );
  return `${found.year}-${found.month}-${found.day}T${found.hour}:${found.minute}`;
}

/**
 * The moment at which clocks of the zone show that time. A time that a change of clocks skips is the one as far after the
 * gap; of one that comes twice it is the first.
 */
export function momentOf(wall: string, zone: string): string | undefined {
  const wanted = Date.parse(`${wall}Z`);
  if (!/^\d{4}-\d{2}-\d{2}T\d{2}:\d{2}$/.test(wall) || Number.isNaN(wanted)) return undefined;
  const offsetAt = (at: number) => Date.parse(`${wallTime(at, zone)}Z`) - Math.floor(at / 60_000) * 60_000;
  // A day before and after: the offsets on both sides of any change of clocks.
  const candidates = [offsetAt(wanted - 86_400_000), offsetAt(wanted + 86_400_000)].map(
    (offset) => wanted - offset,
  );
  const exact = candidates.filter((at) => wallTime(at, zone) === wall);
  const moment = exact.length > 0 ? Math.min(...exact) : candidates[0];
  return moment === undefined ? undefined : new Date(moment).toISOString();
}

/** "GMT+8" beside the zone's name. */
export function offsetWords(zone: string, at: number): string {
  const part = new Intl.DateTimeFormat('en', { timeZone: zone, timeZoneName: 'shortOffset' })
    .formatToParts(new Date(at))
    .find(({ type }) => type === 'timeZoneName');
  return part?.value ?? zone;
}

/** As people here say it; where clocks of the zone show another time, as they show it, and whose they are. */
export function placedWords(at: string, zone: string | null | undefined, now = Date.now()): string {
  const here = Intl.DateTimeFormat().resolvedOptions().timeZone;
  if (!zone || wallTime(at, zone) === wallTime(at, here)) return whenWords(at, now);
  return fullWords(at, zone);
}

/** For a row: as clocks in the zone show it, and which zone only where it is not the usual one. */
export function rowWords(at: string, zone: string, usualZone: string, now = Date.now()): string {
  const words = whenWords(at, now, zone);
  return zone === usualZone ? words : withPlace(words, zone);
}

/** "Tuesday 24 November at 09:00 (Asia/Kuala Lumpur)". */
export const fullWords = (at: string, zone: string): string => withPlace(zonedWords(at, zone), zone);

const withPlace = (words: string, zone: string): string => `${words} (${placeName(zone)})`;

export const placeName = (zone: string): string => zone.replaceAll('_', ' ');

/** "Tuesday 24 November at 09:00", as a clock in the zone shows it. */
export function zonedWords(at: string, zone: string): string {
  const date = new Date(at);
  const day = new Intl.DateTimeFormat(undefined, {
    timeZone: zone,
    weekday: 'long',
    day: 'numeric',
    month: 'long',
    year: date.getFullYear() === new Date().getFullYear() ? undefined : 'numeric',
  }).format(date);
  return `${day} at ${clockTime(date, zone)}`;
}
