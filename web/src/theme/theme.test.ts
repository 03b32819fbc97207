import { describe, expect, it } from 'vitest';
import { contrast } from './contrast';
import { dark, light, type Tokens } from './tokens';

const surfaces: (keyof Tokens)[] = ['canvas', 'surface', 'sunken', 'hover', 'selected'];
const text: [keyof Tokens, (keyof Tokens)[]][] = [
  ['text', [...surfaces, 'bubbleIn', 'neutralTint', 'brandTint']],
  ['muted', [...surfaces, 'bubbleIn', 'neutralTint']],
  ['placeholder', ['surface', 'sunken']],
  ['brandText', ['canvas', 'surface', 'hover', 'selected', 'brandTint']],
  ['onBrand', ['brandSurface', 'brandSurfaceHover']],
  ['noteText', ['note']],
  ['read', ['canvas', 'surface', 'sunken']],
  ['success', ['surface', 'canvas', 'successTint']],
  ['warning', ['surface', 'canvas', 'warningTint']],
  ['danger', ['surface', 'canvas', 'dangerTint']],
  ['info', ['surface', 'canvas', 'infoTint']],
];
const marks: (keyof Tokens)[] = ['dotOpen', 'dotSoon', 'dotUrgent', 'dotClosed', 'control', 'brand'];

describe.each([
  ['light', light],
  ['dark', dark],
])('%s theme', (_name, tokens) => {
  const pairs = text.flatMap(([ink, papers]) => papers.map((paper) => [ink, paper] as const));

  it.each(pairs)('%s is readable on %s (4.5)', (ink, paper) => {
    expect(contrast(tokens[ink], tokens[paper])).toBeGreaterThanOrEqual(4.5);
  });

  it.each(marks)('%s stands out from the page (3.0)', (mark) => {
    for (const paper of ['canvas', 'surface'] as const) {
      expect(contrast(tokens[mark], tokens[paper])).toBeGreaterThanOrEqual(3);
    }
  });
});

it('knows why white text may not stand on the plain brand colour', () => {
  expect(contrast('#ffffff', light.brand)).toBeLessThan(4.5);
});
