import { expect, it } from 'vitest';
import { initials } from './initials';

it.each([
  ['Priya Raman', 'PR'],
  ['madonna', 'M'],
  ['Siti binti Abdullah', 'SA'],
  ['李小龍', '李'],
  ['محمد عبد الله', 'م'],
  ['😀 Emoji Fan', '😀'],
  ['👩‍👩‍👧 Family', '👩‍👩‍👧'],
  ['Tan Wei Ming 49', 'T'],
  ['+60120000001', ''],
  ['', ''],
])('%s has the initials %s', (name, letters) => expect(initials(name)).toBe(letters));
