import { expect, it } from 'vitest';
import { searchPattern } from './queries';

it.each([
  ['Aina', '%aina%'],
  ['  Siti Nur ', '%siti nur%'],
  ['+60 12-345 6789', '%60123456789%'],
  ['(012) 345', '%12345%'],
  ['100%_off\\', '%100\\%\\_off\\\\%'],
])('%s becomes %s', (typed, pattern) => expect(searchPattern(typed)).toBe(pattern));
