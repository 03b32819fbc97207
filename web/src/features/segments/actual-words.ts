import { count, exactTime, longDate } from '@/lib/time';
import type { Json } from './model';

const DAY = /^\d{4}-\d{2}-\d{2}$/;
const MOMENT = /^\d{4}-\d{2}-\d{2}[T ]\d{2}:\d{2}/;
const MOST = 5;

/** What a contact really has, in words. `names` knows tags, segments and the like by id. */
export function actualWords(actual: Json | undefined, names: ReadonlyMap<string, string>): string {
  if (actual === undefined || actual === null || actual === '') return 'nothing';
  if (typeof actual === 'boolean') return actual ? 'yes' : 'no';
  if (typeof actual === 'number') return count(actual);
  if (typeof actual === 'string') return textWords(actual, names);
  if (Array.isArray(actual)) {
    if (actual.length === 0) return 'none';
    const shown = actual.slice(0, MOST).map((each) => actualWords(each, names));
    const more = actual.length - shown.length;
    return shown.join(', ') + (more > 0 ? ` and ${count(more)} more` : '');
  }
  const facts = Object.entries(actual).filter(([key]) => key !== 'id');
  return facts.map(([key, value]) => `${key.replaceAll('_', ' ')}: ${actualWords(value, names)}`).join(', ');
}

function textWords(text: string, names: ReadonlyMap<string, string>): string {
  const name = names.get(text);
  if (name !== undefined) return name;
  // A date without a time is that day everywhere; at noon no time zone moves it to another.
  if (DAY.test(text)) return longDate(`${text}T12:00:00`);
  if (MOMENT.test(text)) return exactTime(text);
  return `“${text}”`;
}
