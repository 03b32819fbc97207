import { describe, expect, it } from 'vitest';
import { readMarkup } from './markup';

describe('readMarkup', () => {
  it('reads each mark, also inside another', () => {
    expect(readMarkup('Hi *Aina*, _new ~old~_ ```a*b*```!')).toEqual([
      'Hi ',
      { mark: 'bold', pieces: ['Aina'] },
      ', ',
      { mark: 'italic', pieces: ['new ', { mark: 'strike', pieces: ['old'] }] },
      ' ',
      { mark: 'code', pieces: ['a*b*'] },
      '!',
    ]);
  });

  it('leaves signs that mark nothing as they stand', () => {
    for (const text of ['2 * 3 * 4', 'snake_case_name', '*open', '* spaced *', '*over\nlines*', '``````'])
      expect(readMarkup(text)).toEqual([text]);
  });
});
