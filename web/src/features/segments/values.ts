import type { Field, Json, Operator } from './model';

/** What a new rule starts with; null where somebody has to choose. */
export function firstValue(field: Field, { value }: Operator): Json | undefined {
  switch (value) {
    case 'none':
      return undefined;
    case 'boolean':
      return true;
    case 'duration':
      return { amount: 30, unit: 'days' };
    case 'range':
    case 'dates':
      return [null, null];
    case 'text':
      return field.options.length > 0 ? (field.options[0]?.value ?? null) : null;
    default:
      return null;
  }
}

/** Points in time know hours; dates are whole days. */
export const durationUnits = (field: Field): string[] =>
  field.kind === 'time' ? ['hours', 'days', 'weeks'] : ['days', 'weeks'];

export const asText = (value: Json): string => (typeof value === 'string' ? value : '');

export const asTexts = (value: Json): string[] =>
  Array.isArray(value) ? value.filter((each): each is string => typeof each === 'string') : [];

export const asNumber = (value: Json | undefined): number | '' => (typeof value === 'number' ? value : '');

export const pair = (value: Json): [Json, Json] =>
  Array.isArray(value) ? [value[0] ?? null, value[1] ?? null] : [null, null];

export function asDuration(value: Json): { amount: number | null; unit: string } {
  const record = typeof value === 'object' && value !== null && !Array.isArray(value) ? value : {};
  return {
    amount: typeof record.amount === 'number' ? record.amount : null,
    unit: typeof record.unit === 'string' ? record.unit : 'days',
  };
}
