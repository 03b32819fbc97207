import { describe, expect, it } from 'vitest';
import { accountProblem, reasonWords } from './account-state';
import type { WhatsAppAccount } from './queries';

const account = (more: Partial<WhatsAppAccount>): WhatsAppAccount => ({
  id: 'a',
  waba_id: '1',
  phone_number_id: '2',
  display_phone_number: '+60 12-345 6789',
  verified_name: 'Kedai Kopi',
  status: 'connected',
  status_reason: null,
  quality_rating: 'GREEN',
  messaging_tier: null,
  ...more,
});

describe('reasonWords', () => {
  it.each([
    ['190: Invalid OAuth access token', 'access token'],
    ['(#200) Permissions error', 'permission'],
    ['100', 'phone number id'],
    ['WA_009', 'already connected'],
    ['connection timed out', 'keep trying'],
    ['whatever', 'Check the ids'],
    [null, 'accept'],
  ])('%s speaks of %s', (reason, words) => expect(reasonWords(reason)).toContain(words));
});

describe('accountProblem', () => {
  it('is silent while all is well, and for numbers disconnected on purpose', () => {
    expect(accountProblem(account({}))).toBeUndefined();
    expect(accountProblem(account({ status: 'disconnected' }))).toBeUndefined();
    expect(accountProblem(account({ status: 'connecting' }))).toBeUndefined();
  });
  it('names the number and the reason', () => {
    expect(accountProblem(account({ status: 'error', status_reason: '190' }))).toMatch(
      /Kedai Kopi.*access token/,
    );
    expect(accountProblem(account({ quality_rating: 'RED' }))).toContain('quality');
  });
});
