import { expect, it } from 'vitest';
import { type CustomField, customValueText, moves } from './custom-fields';

const field = (id: string, position: number) => ({ id, position }) as CustomField;

it('moving a field numbers only what changes place', () => {
  const fields = [field('a', 0), field('b', 1), field('c', 2)];
  expect(moves(fields, 1, -1).map(({ id, position }) => [id, position])).toEqual([
    ['b', 0],
    ['a', 1],
  ]);
  expect(moves(fields, 0, -1)).toEqual([]);
  expect(moves(fields, 2, 1)).toEqual([]);
  // Ties and gaps of earlier days are put in order on the way.
  expect(moves([field('a', 4), field('b', 4)], 0, 1).map(({ id, position }) => [id, position])).toEqual([
    ['b', 0],
    ['a', 1],
  ]);
});

it.each([
  ['number', 12345, '12,345'],
  ['boolean', false, 'No'],
  ['multi_choice', ['Yoga', 'Swim'], 'Yoga, Swim'],
  ['multi_choice', [], null],
  ['text', '', null],
  ['date', '2027-01-31', 'Jan 31, 2027'],
] as const)('a %s of %j reads %j', (type, value, text) =>
  expect(customValueText(type, value as never)).toBe(text),
);
