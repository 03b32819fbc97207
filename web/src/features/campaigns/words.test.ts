import { describe, expect, it } from 'vitest';
import type { Campaign, CampaignStatus } from './model';
import {
  audienceWords,
  conflictWords,
  costWords,
  excludedTotal,
  exclusionWords,
  percent,
  problemWords,
  reasonSentence,
  retryable,
  statusReasonWords,
  waitingWords,
} from './words';

describe('who is left out', () => {
  it('is counted and named, most first, without empty reasons', () => {
    const excluded = { no_phone: 2, opted_out: 1_240, erased: 0 };
    expect(exclusionWords(excluded)).toBe('1,242 left out: 1,240 opted out, 2 no phone number');
    expect(excludedTotal(excluded)).toBe(1_242);
    expect(exclusionWords({})).toBe('Nobody is left out');
  });

  it('has a sentence also for a reason this page does not know', () => {
    expect(reasonSentence('on_holiday')).toBe('On holiday.');
  });
});

it('only failures that another attempt may help are offered again, and only where one is allowed', () => {
  const failures = [
    { code: '131026', count: 40, may_be_retried: false },
    { code: '131050', count: 3, may_be_retried: false },
    { code: 'WA_001', count: 2, may_be_retried: true },
    { code: null, count: 1, may_be_retried: true },
  ];
  const counted = (status: CampaignStatus) => retryable({ campaign: { status } as Campaign, failures });
  expect(counted('completed')).toBe(3);
  expect(counted('paused')).toBe(3);
  expect(counted('cancelled')).toBe(0);
  expect(counted('failed')).toBe(0);
  expect(retryable({ campaign: { status: 'completed' } as Campaign, failures: failures.slice(0, 2) })).toBe(
    0,
  );
});

describe('why a campaign stands still', () => {
  it.each([
    ['tier', /limit/],
    ['quiet_hours', /quiet/i],
    ['quality', /quality/],
    ['account', /connect/i],
    ['something_new', /waiting/],
  ])('%s', (waiting_for, words) => expect(waitingWords({ waiting_for })).toMatch(words));

  it('says when it goes on, and who has to choose', () => {
    const resumes_at = new Date(Date.now() + 60_000).toISOString();
    expect(waitingWords({ waiting_for: 'tier', resumes_at })).toMatch(/goes on at/);
    expect(waitingWords({ waiting_for: 'test', resumes_at })).toMatch(/running/);
    expect(waitingWords({ waiting_for: 'test', resumes_at: null })).toMatch(/Choose/);
    expect(waitingWords({ waiting_for: null })).toBeUndefined();
  });

  it('puts codes into words and shows no raw text', () => {
    expect(statusReasonWords('131048')).toMatch(/spam/);
    expect(statusReasonWords('CAMPAIGN_002')).toMatch(/Nobody/);
    expect(statusReasonWords('panicked at line 3')).toBeUndefined();
  });
});

it('conflicts say how many people they touch', () => {
  expect(conflictWords({ kind: 'campaign', name: 'Raya', recipients: 1_200 })).toBe(
    '“Raya” writes to 1,200 of the same people around that time.',
  );
  expect(conflictWords({ kind: 'frequency_cap', recipients: 1 })).toMatch(/^1 person had/);
  expect(conflictWords({ kind: 'solar_eclipse' })).toBe('Solar eclipse');
});

it('problems are the database’s sentence, else the catalogue’s', () => {
  expect(problemWords({ code: 'missing', message: 'Choose a template' })).toBe('Choose a template');
  expect(problemWords({ code: 'CAMPAIGN_004', message: '' })).toMatch(/approved template/);
});

it('money and shares read as people write them', () => {
  expect(costWords({ currency: 'MYR', amount: 1234.5 })).toMatch(/1,234\.50/);
  expect(costWords(null)).toBeUndefined();
  expect(percent(1, 3)).toBe('33.3%');
  expect(percent(0, 0)).toBe('–');
});

it('an audience is named by its segment, else by what it is', () => {
  expect(audienceWords({ segment_id: 's' }, 'Regulars')).toBe('Regulars');
  expect(audienceWords({ ids: ['a', 'b'] }, null)).toBe('2 chosen contacts');
  expect(audienceWords(null, null)).toBe('Not chosen yet');
});
