import { describe, expect, it } from 'vitest';
import { type Job, progressOf } from './model';
import { jobSummary, jobTitle, problemWords } from './words';

const job = (more: Partial<Job>): Job => ({
  id: 'j',
  org_id: 'o',
  kind: 'import',
  status: 'running',
  input: {},
  result: null,
  problem: null,
  done_count: 0,
  total_count: null,
  created_by: null,
  created_at: '2026-11-23T10:00:00Z',
  started_at: null,
  finished_at: null,
  expires_at: null,
  ...more,
});

describe('a job says', () => {
  it('what it is', () => {
    expect(jobTitle(job({ input: { file_name: 'list.csv' } }))).toBe('Import of list.csv');
    expect(jobTitle(job({ kind: 'bulk_change', input: { change: { action: 'add_tags' } } }))).toBe(
      'Adding tags',
    );
    expect(jobTitle(job({ kind: 'bulk_change', input: {} }))).toBe('Changing contacts');
  });

  it('how far it is and what came of it', () => {
    expect(jobSummary(job({ done_count: 1200, total_count: 5000 }))).toBe('1,200 of 5,000 contacts');
    const result = { created: 2, updated: 0, skipped: 1, failed: 3, errors_path: null };
    expect(jobSummary(job({ status: 'done', result }))).toBe(
      '2 added · 0 updated · 1 skipped · 3 with a problem',
    );
    expect(jobSummary(job({ kind: 'export', status: 'done', result: { path: 'p', rows: 1 } }))).toBe(
      '1 contact',
    );
  });

  it('never a program’s own words', () => {
    expect(problemWords('JOB_003')).toMatch(/couldn’t read/);
    expect(problemWords('The file has no rows.')).toBe('The file has no rows.');
    expect(problemWords('ERROR: null value in column "x" {42}')).toMatch(/our side/);
    expect(problemWords(null)).toMatch(/our side/);
  });
});

it.each([
  [0, null, undefined],
  [0, 0, undefined],
  [1, 3, 33],
  [7, 5, 100],
])('%d of %s is %s %%', (done_count, total_count, percent) =>
  expect(progressOf({ done_count, total_count })).toBe(percent),
);
