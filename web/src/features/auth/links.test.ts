import { describe, expect, it } from 'vitest';
import { landing, safeNext } from './links';

describe('safeNext', () => {
  it.each([
    ['/conversations?tab=mine', '/conversations?tab=mine'],
    ['//evil.example', undefined],
    ['/\\evil.example', undefined],
    ['https://evil.example', undefined],
    ['javascript:alert(1)', undefined],
    ['', undefined],
    [undefined, undefined],
  ])('%s becomes %s', (next, safe) => expect(safeNext(next)).toBe(safe));
});

it('leads back to this app with the page that was wanted', () => {
  expect(landing('/verify', '/invitations/abc')).toBe(
    `${window.location.origin}/verify?next=%2Finvitations%2Fabc`,
  );
});
