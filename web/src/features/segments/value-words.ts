import { count, longDate } from '@/lib/time';

const DAY = /^\d{4}-\d{2}-\d{2}$/;

/** The value of a rule in words; ids by name where `names` knows them. */
export function valueWords(value: unknown, names: ReadonlyMap<string, string>): string {
  if (typeof value === 'string') {
    if (DAY.test(value)) return longDate(`${value}T12:00:00`);
    return names.get(value) ?? `“${value}”`;
  }
  if (typeof value === 'number') return count(value);
  if (typeof value === 'boolean') return value ? 'yes' : 'no';
  if (Array.isArray(value)) {
    const isRange =
      value.length === 2 && value.every((each) => typeof each === 'number' || DAY.test(String(each)));
    return value.map((each) => valueWords(each, names)).join(isRange ? ' and ' : ', ');
  }
  if (typeof value === 'object' && value !== null && 'amount' in value && 'unit' in value) {
    const { amount, unit } = value;
    const word = String(unit);
    return `${String(amount)} ${amount === 1 ? word.replace(/s$/, '') : word}`;
  }
  return '';
}
