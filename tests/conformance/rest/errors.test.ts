import { beforeAll, describe, expect, inject, test } from 'vitest';
import {
  type Client,
  eachLibrary,
  type Member,
  newTeam,
  service,
  signedIn,
  visitor,
} from '../support/clients';
import { now, signed } from '../support/tokens';

eachLibrary((library) => {
  let client: Client;
  let account: Member;
  let team: string;
  beforeAll(async () => {
    client = visitor(library);
    account = await signedIn(library);
    team = await newTeam(account);
  });

  describe('constraints', () => {
    test('unique: 409 23505, with the key only for who row level security does not bind', async () => {
      const note = { team_id: team, slug: 'twice' };
      await account.client.from('notes').insert(note);
      const { status, error, data } = await account.client.from('notes').insert(note).select();
      expect({ status, data }).toEqual({ status: 409, data: null });
      expect(error).toMatchObject({
        code: '23505',
        message: 'duplicate key value violates unique constraint "notes_team_id_slug_key"',
        details: null,
        hint: null,
      });
      const unbound = await service(library).from('notes').insert(note);
      expect(unbound).toMatchObject({
        status: 409,
        error: { code: '23505', details: `Key (team_id, slug)=(${team}, twice) already exists.` },
      });
    });

    test('foreign key: 409 23503', async () => {
      const missing = '00000000-0000-4000-8000-000000000000';
      const { status, error } = await account.client
        .from('team_members')
        .insert({ team_id: team, user_id: missing });
      expect(status).toBe(409);
      expect(error).toMatchObject({
        code: '23503',
        message:
          'insert or update on table "team_members" violates foreign key constraint "team_members_user_id_fkey"',
      });
    });

    test('check and not null: 400', async () => {
      const check = await account.client.from('notes').insert({ team_id: team, slug: 'stars', stars: 9 });
      expect(check).toMatchObject({ status: 400, error: { code: '23514' } });
      const missing = await account.client.from('notes').insert({ team_id: team });
      expect(missing).toMatchObject({ status: 400, error: { code: '23502' } });
    });
  });

  describe('permission denied', () => {
    test('tells a visitor to sign in: 401 42501', async () => {
      expect(await client.from('vault_door').select()).toMatchObject({
        status: 401,
        data: null,
        error: {
          code: '42501',
          message: 'permission denied for table vault_door',
          details: null,
          hint: null,
        },
      });
      expect(await client.rpc('for_members_only')).toMatchObject({
        status: 401,
        error: { code: '42501', message: 'permission denied for function for_members_only' },
      });
    });

    test('tells a user that signing in will not help: 403 42501', async () => {
      expect(await account.client.from('vault_door').select()).toMatchObject({
        status: 403,
        error: { code: '42501', message: 'permission denied for table vault_door' },
      });
      expect(await account.client.rpc('for_members_only')).toMatchObject({ data: 'welcome', status: 200 });
    });

    test('of a table that is granted to nobody: 401 42501', async () => {
      expect(await client.from('walled_in').select()).toMatchObject({
        status: 401,
        error: { code: '42501' },
      });
    });

    test('covers single columns', async () => {
      expect(await account.client.from('ledger').select('internal_remark')).toMatchObject({
        status: 403,
        error: { code: '42501' },
      });
      expect(await account.client.from('ledger').select('id, amount')).toMatchObject({
        data: [],
        error: null,
      });
    });
  });

  describe('what is not there', () => {
    test('a table: 404 PGRST205, with what may have been meant', async () => {
      const { status, error } = await client.from('river').select();
      expect(status).toBe(404);
      expect(error).toMatchObject({
        code: 'PGRST205',
        message: "Could not find the table 'public.river' in the schema cache",
        details: null,
        hint: "Perhaps you meant the table 'public.rivers'",
      });
    });

    test('a function, or one with other arguments: 404 PGRST202', async () => {
      const unknown = await client.rpc('multiply', { a: 1 });
      expect(unknown).toMatchObject({ status: 404, error: { code: 'PGRST202' } });
      expect(unknown.error?.message).toBe(
        'Could not find the function public.multiply(a) in the schema cache',
      );
      const arguments_ = await client.rpc('add', { a: 1, c: 2 });
      expect(arguments_).toMatchObject({ status: 404, error: { code: 'PGRST202' } });
      expect(arguments_.error?.message).toBe(
        'Could not find the function public.add(a, c) in the schema cache',
      );
    });

    test('a schema that is not exposed: 406 PGRST106', async () => {
      const { status, error } = await client.schema('private').from('anything').select();
      expect(status).toBe(406);
      expect(error).toMatchObject({ code: 'PGRST106' });
    });

    test('an error carries its code in a header too, for answers without a body', async () => {
      const { url, anonKey } = inject('stack');
      const response = await fetch(`${url}/rest/v1/river`, { method: 'HEAD', headers: { apikey: anonKey } });
      expect(response.status).toBe(404);
      expect(response.headers.get('proxy-status')).toBe('PostgREST; error=PGRST205');
    });
  });

  describe('raised by a function', () => {
    test("SQLSTATE PGRST carries the application's code, details as text, and status", async () => {
      const { status, error, data } = await client.rpc('raise_app_error');
      expect({ status, data }).toEqual({ status: 409, data: null });
      expect(error).toMatchObject({
        code: 'CONTACT_002',
        message: 'A contact with this number exists',
        details: '{"contact_id": 7}',
        hint: 'Open the contact instead',
      });
      expect(JSON.parse(error?.details ?? '')).toEqual({ contact_id: 7 });
    });

    test('SQLSTATE PGRST without details has null, and may set headers', async () => {
      const { error } = await client.rpc('raise_app_error', { with_details: false });
      expect(error).toMatchObject({ code: 'CONTACT_002', details: null });
      const { url, anonKey } = inject('stack');
      const response = await fetch(`${url}/rest/v1/rpc/raise_app_error`, {
        method: 'POST',
        headers: { apikey: anonKey, 'content-type': 'application/json' },
        body: '{}',
      });
      expect(response.headers.get('x-app-error')).toBe('CONTACT_002');
    });

    test('SQLSTATE PT409 sets the status alone', async () => {
      const { status, error } = await client.rpc('raise_conflict');
      expect(status).toBe(409);
      expect(error).toMatchObject({
        code: 'PT409',
        message: 'Already there',
        details: '{"contact_id": 7}',
        hint: 'Look it up',
      });
    });

    test('a plain exception is 400 P0001', async () => {
      const { status, error } = await client.rpc('raise_plain');
      expect(status).toBe(400);
      expect(error).toMatchObject({
        code: 'P0001',
        message: 'plain refusal',
        details: 'more of it',
        hint: 'do better',
      });
    });
  });

  describe('tokens', () => {
    const withToken = (token: string) =>
      visitor(library, { global: { headers: { Authorization: `Bearer ${token}` } } });

    test('an expired one is 401 PGRST303', async () => {
      const { jwtSecret } = inject('stack');
      const token = signed({ role: 'authenticated', sub: account.id, exp: now() - 60 }, jwtSecret);
      expect(await withToken(token).from('countries').select()).toMatchObject({
        status: 401,
        error: { code: 'PGRST303', message: 'JWT expired' },
      });
    });

    test('a forged one and a malformed one are 401 PGRST301', async () => {
      const forged = signed(
        { role: 'service_role', exp: now() + 60 },
        'some other secret of sufficient length',
      );
      for (const token of [forged, 'not.a.token', 'nonsense']) {
        const { status, error } = await withToken(token).from('countries').select();
        expect({ status, code: error?.code }).toEqual({ status: 401, code: 'PGRST301' });
      }
    });

    test('a role the login may not take is refused', async () => {
      const { jwtSecret } = inject('stack');
      for (const role of ['supabase_admin', 'postgres', 'no_such_role']) {
        const token = signed({ role, exp: now() + 60 }, jwtSecret);
        const { status, data } = await withToken(token).from('countries').select();
        expect([401, 403]).toContain(status);
        expect(data).toBeNull();
      }
    });

    test('without a project key there is no answer: 401', async () => {
      const { url, anonKey } = inject('stack');
      for (const headers of [{}, { apikey: 'sb_publishable_wrong' }, { apikey: `${anonKey}x` }]) {
        const response = await fetch(`${url}/rest/v1/countries`, { headers: headers as HeadersInit });
        expect(response.status).toBe(401);
        expect(await response.json()).toEqual({ message: expect.any(String), hint: expect.any(String) });
      }
    });
  });
});
