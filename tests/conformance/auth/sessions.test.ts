import { describe, expect, inject, test } from 'vitest';
import {
  type Account,
  accessToken,
  type Client,
  eachLibrary,
  PASSWORD,
  registered,
  service,
  signedInByPassword,
  visitor,
} from '../support/clients';
import { claimsOf, now, signed } from '../support/tokens';
import { until } from '../support/until';

/** A browser's storage, in memory. */
function storage() {
  const items = new Map<string, string>();
  return {
    items,
    getItem: (key: string) => items.get(key) ?? null,
    setItem: (key: string, value: string) => void items.set(key, value),
    removeItem: (key: string) => void items.delete(key),
  };
}

eachLibrary((library) => {
  async function anotherSession(account: Account): Promise<Client> {
    const client = visitor(library);
    expect((await client.auth.signInWithPassword(account)).error).toBeNull();
    return client;
  }

  /** Whether the server still knows the session of a token. */
  const isAlive = async (token: string) => (await visitor(library).auth.getUser(token)).error === null;

  describe('signOut', () => {
    test('everywhere, by default', async () => {
      const account = await signedInByPassword(library);
      const other = await anotherSession(account);
      const tokens = [await accessToken(account), await accessToken({ client: other })];
      expect((await account.client.auth.signOut()).error).toBeNull();
      expect((await account.client.auth.getSession()).data.session).toBeNull();
      expect(await Promise.all(tokens.map(isAlive))).toEqual([false, false]);
      expect((await other.auth.refreshSession()).error).toMatchObject({ status: 400 });
    });

    test('here only', async () => {
      const account = await signedInByPassword(library);
      const other = await anotherSession(account);
      const own = await accessToken(account);
      expect((await account.client.auth.signOut({ scope: 'local' })).error).toBeNull();
      expect(await isAlive(own)).toBe(false);
      expect((await other.auth.getUser()).error).toBeNull();
      expect((await other.auth.refreshSession()).error).toBeNull();
    });

    test('everywhere else', async () => {
      const account = await signedInByPassword(library);
      const other = await anotherSession(account);
      const theirs = await accessToken({ client: other });
      expect((await account.client.auth.signOut({ scope: 'others' })).error).toBeNull();
      expect(await isAlive(theirs)).toBe(false);
      expect((await account.client.auth.getUser()).error).toBeNull();
    });

    test('of a session that is gone is no error', async () => {
      const account = await signedInByPassword(library);
      const other = await anotherSession(account);
      await other.auth.signOut({ scope: 'global' });
      expect((await account.client.auth.signOut()).error).toBeNull();
    });

    test('leaves the access token good for REST until it expires, as on the real one', async () => {
      const account = await signedInByPassword(library);
      const token = await accessToken(account);
      await account.client.auth.signOut();
      const { data } = await visitor(library, {
        global: { headers: { Authorization: `Bearer ${token}` } },
      }).rpc('who_am_i');
      expect(data).toMatchObject({ uid: account.id });
    });

    test('by the server, with the token of the user', async () => {
      const account = await signedInByPassword(library);
      const token = await accessToken(account);
      expect((await service(library).auth.admin.signOut(token, 'global')).error).toBeNull();
      expect(await isAlive(token)).toBe(false);
    });
  });

  describe('getUser', () => {
    test('answers the user of the session as the server knows it', async () => {
      const account = await signedInByPassword(library);
      const { data, error } = await account.client.auth.getUser();
      expect(error).toBeNull();
      expect(data.user).toMatchObject({ id: account.id, email: account.email, role: 'authenticated' });
    });

    test('without a session asks nobody', async () => {
      expect((await visitor(library).auth.getUser()).error).toMatchObject({
        name: 'AuthSessionMissingError',
      });
    });

    test('refuses garbage, forged and expired tokens, and such without a user: 403 bad_jwt', async () => {
      const account = await signedInByPassword(library);
      const claims = claimsOf(await accessToken(account));
      const { jwtSecret } = inject('stack');
      const unsigned = `${Buffer.from('{"alg":"none","typ":"JWT"}').toString('base64url')}.${Buffer.from(
        JSON.stringify(claims),
      ).toString('base64url')}.`;
      for (const token of [
        'garbage',
        'a.b.c',
        unsigned,
        signed(claims, 'some other secret of sufficient length'),
        signed({ ...claims, exp: now() - 60 }, jwtSecret),
        signed({ ...claims, sub: undefined }, jwtSecret),
      ]) {
        const { data, error } = await visitor(library).auth.getUser(token);
        expect(data.user).toBeNull();
        expect(error, token).toMatchObject({ name: 'AuthApiError', status: 403, code: 'bad_jwt' });
      }
    });

    test('refuses a user who does not exist: 403 user_not_found', async () => {
      const token = signed(
        { sub: '00000000-0000-4000-8000-000000000000', role: 'authenticated', exp: now() + 60 },
        inject('stack').jwtSecret,
      );
      expect((await visitor(library).auth.getUser(token)).error).toMatchObject({
        status: 403,
        code: 'user_not_found',
      });
    });

    test('a session that was ended is missing, and the client drops it', async () => {
      const account = await signedInByPassword(library);
      const other = await anotherSession(account);
      await other.auth.signOut({ scope: 'global' });
      const { data, error } = await account.client.auth.getUser();
      expect(data.user).toBeNull();
      expect(error).toMatchObject({ name: 'AuthSessionMissingError' });
      expect((await account.client.auth.getSession()).data.session).toBeNull();
    });
  });

  describe('getClaims', () => {
    test('reads a good token and refuses others', async () => {
      const account = await signedInByPassword(library);
      const { data, error } = await account.client.auth.getClaims();
      expect(error).toBeNull();
      expect(data?.claims).toMatchObject({
        sub: account.id,
        role: 'authenticated',
        aal: 'aal1',
        amr: [{ method: 'password', timestamp: expect.any(Number) }],
      });
      const claims = claimsOf(await accessToken(account));
      const forged = signed(claims, 'some other secret of sufficient length');
      expect((await account.client.auth.getClaims(forged)).error).toMatchObject({ code: 'bad_jwt' });
      const expired = signed({ ...claims, exp: now() - 60 }, inject('stack').jwtSecret);
      expect((await account.client.auth.getClaims(expired)).error).not.toBeNull();
    });

    test('no keys are published, since the secret is shared', async () => {
      const response = await fetch(`${inject('stack').url}/auth/v1/.well-known/jwks.json`);
      expect(response.status).toBe(200);
      expect(await response.json()).toEqual({ keys: [] });
    });
  });

  describe('the client', () => {
    test('tells what happens to the session', async () => {
      const { client, email } = await registered(library);
      const events: string[] = [];
      const { data } = client.auth.onAuthStateChange((event, session) => {
        events.push(`${event} ${session ? 'with' : 'without'}`);
      });
      await until('the first event', () => events.length === 1);
      await client.auth.signInWithPassword({ email, password: PASSWORD });
      await client.auth.refreshSession();
      await client.auth.updateUser({ data: { a: 1 } });
      await client.auth.signOut();
      data.subscription.unsubscribe();
      expect(events).toEqual([
        'INITIAL_SESSION without',
        'SIGNED_IN with',
        'TOKEN_REFRESHED with',
        'USER_UPDATED with',
        'SIGNED_OUT without',
      ]);
    });

    test('finds its session again after a reload', async () => {
      const { email } = await registered(library);
      const kept = storage();
      const open = () => visitor(library, { auth: { persistSession: true, storage: kept } });
      const before = open();
      await before.auth.signInWithPassword({ email, password: PASSWORD });
      expect([...kept.items.keys()]).toEqual(['sb-127-auth-token']);
      const after = open();
      expect((await after.auth.getSession()).data.session?.user.email).toBe(email);
      expect((await after.auth.getUser()).data.user?.email).toBe(email);
      await after.auth.signOut();
      expect(kept.items.size).toBe(0);
    });

    test('exchanges a token that is about to expire by itself', async () => {
      const account = await registered(library);
      const kept = storage();
      const options = { auth: { persistSession: true, storage: kept, autoRefreshToken: true } };
      const first = visitor(library, options);
      await first.auth.signInWithPassword(account);
      await first.auth.stopAutoRefresh();
      const [entry] = [...kept.items.entries()];
      if (!entry) throw new Error('no session was stored');
      const session = JSON.parse(entry[1]) as { expires_at: number; refresh_token: string };
      kept.items.set(entry[0], JSON.stringify({ ...session, expires_at: now() + 60 }));
      const second = visitor(library, options);
      const refreshed = await until('a new token', () => {
        const stored = JSON.parse(kept.items.get(entry[0]) ?? '{}') as { refresh_token?: string };
        return stored.refresh_token !== session.refresh_token && stored;
      });
      expect(refreshed.refresh_token).toEqual(expect.any(String));
      await second.auth.stopAutoRefresh();
    });
  });

  describe('errors', () => {
    const post = (headers: Record<string, string>) => {
      const { url, anonKey } = inject('stack');
      return fetch(`${url}/auth/v1/token?grant_type=password`, {
        method: 'POST',
        headers: { apikey: anonKey, 'content-type': 'application/json', ...headers },
        body: JSON.stringify({ email: 'nobody@conformance.test', password: 'wrong' }),
      });
    };

    test('name their code in the body when the client asks for that version, and echo it', async () => {
      const response = await post({ 'x-supabase-api-version': '2024-01-01' });
      expect(response.status).toBe(400);
      expect(response.headers.get('x-supabase-api-version')).toBe('2024-01-01');
      expect(response.headers.get('x-sb-error-code')).toBe('invalid_credentials');
      expect(await response.json()).toEqual({
        code: 'invalid_credentials',
        message: 'Invalid login credentials',
      });
    });

    test('have the older shape otherwise', async () => {
      const response = await post({});
      expect(await response.json()).toEqual({
        code: 400,
        error_code: 'invalid_credentials',
        msg: 'Invalid login credentials',
      });
    });

    test('name what is wrong with the request itself', async () => {
      const { url, anonKey } = inject('stack');
      const send = (path: string, body: string) =>
        fetch(`${url}/auth/v1${path}`, { method: 'POST', headers: { apikey: anonKey }, body });
      const json = await send('/token?grant_type=password', '{');
      expect([json.status, (await json.json()).error_code]).toEqual([400, 'bad_json']);
      const missing = await send('/verify', '{"type":"signup"}');
      expect([missing.status, (await missing.json()).error_code]).toEqual([400, 'validation_failed']);
    });

    test('without a key there is no answer', async () => {
      const response = await fetch(`${inject('stack').url}/auth/v1/settings`);
      expect(response.status).toBe(401);
    });
  });
});
