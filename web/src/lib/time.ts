const MINUTE = 60_000;
const HOUR = 60 * MINUTE;
const DAY = 24 * HOUR;

/** By clocks of the zone; of this device without one. */
const format = (options: Intl.DateTimeFormatOptions) => {
  const formatters = new Map<string | undefined, Intl.DateTimeFormat>();
  return (time: string | number | Date, timeZone?: string): string => {
    const formatter =
      formatters.get(timeZone) ?? new Intl.DateTimeFormat(undefined, { ...options, timeZone });
    formatters.set(timeZone, formatter);
    return formatter.format(new Date(time));
  };
};

export const clockTime = format({ hour: 'numeric', minute: '2-digit' });
export const exactTime = format({ dateStyle: 'full', timeStyle: 'medium' });
export const shortDate = format({ day: 'numeric', month: 'short' });
export const longDate = format({ day: 'numeric', month: 'short', year: 'numeric' });
const weekday = format({ weekday: 'long' });
const fullDay = format({ weekday: 'long', day: 'numeric', month: 'long' });

export function dayKey(time: string | number): string {
  const date = new Date(time);
  return `${date.getFullYear()}-${date.getMonth()}-${date.getDate()}`;
}

const calendarDays = (from: number, to: number) =>
  Math.round((new Date(to).setHours(0, 0, 0, 0) - new Date(from).setHours(0, 0, 0, 0)) / DAY);

/** For rows: "now", "5m", "3h", "Mon", "4 Mar". */
export function compactAge(time: string, now: number): string {
  const at = Date.parse(time);
  const age = now - at;
  if (age < MINUTE) return 'now';
  if (age < HOUR) return `${Math.floor(age / MINUTE)}m`;
  if (age < DAY && calendarDays(at, now) === 0) return clockTime(at);
  const days = calendarDays(at, now);
  if (days === 1) return 'Yesterday';
  if (days < 7) return weekday(at).slice(0, 3);
  return new Date(at).getFullYear() === new Date(now).getFullYear() ? shortDate(at) : longDate(at);
}

/** For sentences: "just now", "5 minutes ago". */
export function relativeAge(time: string, now: number): string {
  const age = now - Date.parse(time);
  const relative = new Intl.RelativeTimeFormat(undefined, { numeric: 'auto' });
  if (age < MINUTE) return 'just now';
  if (age < HOUR) return relative.format(-Math.floor(age / MINUTE), 'minute');
  if (age < DAY) return relative.format(-Math.floor(age / HOUR), 'hour');
  if (age < 30 * DAY) return relative.format(-Math.floor(age / DAY), 'day');
  return longDate(time);
}

export function dayLabel(time: string, now: number): string {
  const days = calendarDays(Date.parse(time), now);
  if (days === 0) return 'Today';
  if (days === 1) return 'Yesterday';
  if (days > 1 && days < 7) return weekday(time);
  return new Date(time).getFullYear() === new Date(now).getFullYear() ? fullDay(time) : longDate(time);
}

export const count = (value: number): string => new Intl.NumberFormat().format(value);

/** `isMinimum`: there are at least as many, shown as "50,000+". */
export const atLeast = (value: number, isMinimum: boolean): string =>
  `${count(value)}${isMinimum ? '+' : ''}`;

export function plural(value: number, one: string, many = `${one}s`): string {
  return `${count(value)} ${value === 1 ? one : many}`;
}

/** Orders the database's timestamps, whose microseconds `Date` would drop. Negative when `a` is earlier. */
export function compareTimes(a: string, b: string): number {
  return Date.parse(a) - Date.parse(b) || micros(a) - micros(b);
}

const micros = (time: string) => Number((/\.(\d+)/.exec(time)?.[1] ?? '').padEnd(6, '0').slice(3, 6));
