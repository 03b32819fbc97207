import { count, longDate } from '@/lib/time';

export const fieldTypes = ['text', 'number', 'date', 'boolean', 'choice', 'multi_choice'] as const;
export type FieldType = (typeof fieldTypes)[number];

export const fieldTypeNames: Record<FieldType, string> = {
  text: 'Text',
  number: 'Number',
  date: 'Date',
  boolean: 'Yes or no',
  choice: 'One of a list',
  multi_choice: 'Several of a list',
};

export interface CustomField {
  id: string;
  key: string;
  label: string;
  type: FieldType;
  options: string[];
  position: number;
  archived_at: string | null;
}

export type CustomValue = string | number | boolean | string[] | null;

export const hasOptions = (type: FieldType): boolean => type === 'choice' || type === 'multi_choice';

/** A value as people read it; null when there is none. */
export function customValueText(type: FieldType, value: CustomValue | undefined): string | null {
  if (value === null || value === undefined || value === '') return null;
  if (Array.isArray(value)) return value.length > 0 ? value.join(', ') : null;
  if (type === 'boolean') return value === true ? 'Yes' : 'No';
  if (type === 'number' && typeof value === 'number') return count(value);
  // A date without a time: noon keeps it the same day in every zone.
  if (type === 'date' && typeof value === 'string') return longDate(`${value}T12:00:00`);
  return String(value);
}

/** The fields whose position changes when the one at `from` moves; positions are numbered anew, so gaps and ties vanish. */
export function moves(fields: CustomField[], from: number, by: -1 | 1): CustomField[] {
  const order = [...fields];
  const [moved] = order.splice(from, 1);
  if (!moved || from + by < 0 || from + by >= fields.length) return [];
  order.splice(from + by, 0, moved);
  return order.flatMap((field, position) => (field.position === position ? [] : [{ ...field, position }]));
}
