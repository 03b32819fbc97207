import { describe, expect, it } from 'vitest';
import { passwordStrength } from './password-strength';

describe('passwordStrength', () => {
  it.each([
    ['', 0],
    ['short', 1],
    ['password123!', 1],
    ['aaaaaaaaaaaa', 1],
    ['kestrel7', 2],
    ['Kestrel-77', 3],
    ['correct horse battery staple', 4],
  ])('%s scores %i', (password, score) => expect(passwordStrength(password).score).toBe(score));

  it('does not accept the name from the e-mail address', () => {
    expect(passwordStrength('Priya-Studio-2026', 'priya@example.com').score).toBe(1);
    expect(passwordStrength('Priya-Studio-2026', 'someone@example.com').score).toBeGreaterThan(2);
  });
});
