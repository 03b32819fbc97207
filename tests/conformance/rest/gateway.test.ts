import { expect, inject, test } from 'vitest';
import { eachLibrary, visitor } from '../support/clients';
import { knownDifference } from '../support/differences';

/** Every header the two clients send from a browser page of another origin. */
const SENT = [
  'apikey',
  'authorization',
  'x-client-info',
  'content-type',
  'prefer',
  'range',
  'accept-profile',
  'content-profile',
  'x-upsert',
  'x-metadata',
  'cache-control',
  'x-supabase-api-version',
  'x-retry-count',
];

/** What supabase-js reads of an answer. */
const READ = [
  'content-range',
  'x-supabase-api-version',
  'x-sb-error-code',
  'proxy-status',
  'location',
  'retry-after',
];

const list = (header: string | null) => (header ?? '').toLowerCase().split(/\s*,\s*/);

test.each(['/rest/v1/countries', '/auth/v1/token', '/storage/v1/bucket', '/realtime/v1/api/broadcast'])(
  'a preflight of %s allows every method and header the clients use, without a key',
  async (path) => {
    for (const method of ['GET', 'POST', 'PUT', 'PATCH', 'DELETE']) {
      const response = await fetch(`${inject('stack').url}${path}`, {
        method: 'OPTIONS',
        headers: {
          origin: 'http://app.example',
          'access-control-request-method': method,
          'access-control-request-headers': SENT.join(','),
        },
      });
      expect(response.ok).toBe(true);
      expect(response.headers.get('access-control-allow-origin')).toBe('*');
      expect(list(response.headers.get('access-control-allow-headers'))).toEqual(
        expect.arrayContaining(SENT),
      );
      expect(list(response.headers.get('access-control-allow-methods'))).toContain(method.toLowerCase());
    }
  },
);

test('pages of other origins may read what the clients look for', async () => {
  const { url, anonKey } = inject('stack');
  const response = await fetch(`${url}/rest/v1/countries?limit=1`, {
    headers: { origin: 'http://app.example', apikey: anonKey, prefer: 'count=exact' },
  });
  expect(response.headers.get('access-control-allow-origin')).toBe('*');
  expect(list(response.headers.get('access-control-expose-headers'))).toEqual(expect.arrayContaining(READ));
  expect(response.headers.get('content-range')).toBe('0-0/8');
});

test('errors are readable across origins too', async () => {
  const response = await fetch(`${inject('stack').url}/rest/v1/countries`, {
    headers: { origin: 'http://app.example' },
  });
  expect(response.status).toBe(401);
  expect(response.headers.get('access-control-allow-origin')).toBe('*');
});

test('the root of REST is for the secret key only', async () => {
  const { url, anonKey, serviceRoleKey } = inject('stack');
  for (const path of ['/rest/v1', '/rest/v1/']) {
    const root = (apikey: string) => fetch(url + path, { headers: { apikey } });
    expect((await root(anonKey)).status).toBe(401);
    expect((await root(serviceRoleKey)).status).toBe(200);
  }
});

knownDifference(
  'the root of REST describes the API',
  'postrust-server answers its name and version instead; supabase-js never asks',
  async () => {
    const { url, serviceRoleKey } = inject('stack');
    const description = await fetch(`${url}/rest/v1/`, { headers: { apikey: serviceRoleKey } });
    expect(await description.json()).toMatchObject({ paths: { '/rivers': expect.anything() } });
  },
);

eachLibrary((library) => {
  test('a request that is aborted ends with an error instead of hanging', async () => {
    const { data, error } = await visitor(library)
      .from('countries')
      .select()
      .abortSignal(AbortSignal.abort());
    expect(data).toBeNull();
    expect(error?.message).toContain('Abort');
  });
});
