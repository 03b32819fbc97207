import { readFileSync } from 'node:fs';
import { resolve } from 'node:path';
import { describe, expect, it } from 'vitest';
import { authWords } from './auth-errors';
import { catalogue } from './error-catalogue';
import { describeError } from './errors';

const root = resolve(import.meta.dirname, '../..');

describe('words for error codes', () => {
  const page = readFileSync(resolve(root, '../docs/error-codes.md'), 'utf8');
  const codes = [...page.matchAll(/^\| `([A-Z]+_\d{3})` \|/gm)].map((match) => match[1] ?? '');

  it('finds the codes of the page', () => expect(codes.length).toBeGreaterThan(30));

  it.each(codes)('%s has words', (code) => {
    const problem = describeError({ code, message: 'raw', details: null, status: 409 });
    expect(problem.code).toBe(code);
    expect(catalogue[code], `add ${code} to src/lib/error-catalogue.ts`).toBeDefined();
    expect(problem.message).toMatch(/^[A-Z0-9].*[.?]$/s);
  });

  it('has no words for a code the catalogue does not know', () => {
    expect(Object.keys(catalogue).filter((code) => !codes.includes(code))).toEqual([]);
  });

  const types = readFileSync(
    resolve(root, 'node_modules/@supabase/auth-js/dist/module/lib/error-codes.d.ts'),
    'utf8',
  );
  const authCodes = [...types.matchAll(/'([a-z0-9_]+)'/g)].map((match) => match[1] ?? '');

  it('finds the codes of auth-js', () => expect(authCodes.length).toBeGreaterThan(60));

  it.each(authCodes)('%s has words', (code) => expect(authWords[code]).toMatch(/^[A-Z].*\.$/));
});

describe('describeError', () => {
  it('reads details that travel as JSON text', () => {
    const problem = describeError({ code: 'ORG_005', details: '{"field":"name"}', message: 'x' });
    expect(problem.message).toContain('name of 1 to 120');
  });

  it('knows a network failure from an answer', () => {
    expect(describeError(new TypeError('Failed to fetch')).code).toBe('offline');
    expect(describeError({ code: '', message: 'TypeError: Failed to fetch', details: '' }).code).toBe(
      'offline',
    );
    expect(describeError({ code: 'CONTACT_001', message: 'TypeError' }).code).toBe('CONTACT_001');
  });

  it('never shows a raw message', () => {
    const problem = describeError({ code: 'XX000', message: 'relation "x" does not exist', status: 500 });
    expect(problem.message).not.toContain('relation');
    expect(problem.retryable).toBe(true);
  });

  it.each([undefined, null, 'text', 42, {}])('copes with %s', (value) => {
    expect(describeError(value).message.length).toBeGreaterThan(0);
  });
});
