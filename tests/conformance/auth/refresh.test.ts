import { describe, expect, inject, test } from 'vitest';
import { type Account, eachLibrary, registered, signedInByPassword, visitor } from '../support/clients';
import { REUSE_INTERVAL_SECONDS, withDatabase } from '../support/stack';
import { claimsOf, now, signed } from '../support/tokens';

eachLibrary((library) => {
  const exchange = (refresh_token: string) => visitor(library).auth.refreshSession({ refresh_token });

  async function refreshTokenOf({ client }: Account): Promise<string> {
    const { data } = await client.auth.getSession();
    return data.session?.refresh_token ?? '';
  }

  /** Exchanges a token that must be good. */
  async function exchanged(refreshToken: string): Promise<string> {
    const { data, error } = await exchange(refreshToken);
    expect(error).toBeNull();
    return data.session?.refresh_token ?? '';
  }

  /** Lets what happened to a token lie further back than it may be used again. */
  const ageToken = (refreshToken: string) =>
    withDatabase(inject('stack'), (database) =>
      database.query(
        `update auth.refresh_tokens set updated_at = updated_at - make_interval(secs => $2) where token = $1`,
        [refreshToken, REUSE_INTERVAL_SECONDS + 1],
      ),
    );

  describe('refresh', () => {
    test('gives a new pair of tokens for the same session', async () => {
      const account = await signedInByPassword(library);
      const before = (await account.client.auth.getSession()).data.session;
      const { data, error } = await account.client.auth.refreshSession();
      expect(error).toBeNull();
      expect(data.user?.id).toBe(account.id);
      expect(data.session?.refresh_token).not.toBe(before?.refresh_token);
      const claims = (token = '') => claimsOf(token).session_id;
      expect(claims(data.session?.access_token)).toBe(claims(before?.access_token));
      expect((await account.client.auth.getUser()).error).toBeNull();
    });

    test('keeps how the user signed in', async () => {
      const account = await signedInByPassword(library);
      const { data } = await account.client.auth.refreshSession();
      expect(claimsOf(data.session?.access_token ?? '').amr).toEqual([
        { method: 'password', timestamp: expect.any(Number) },
      ]);
    });

    test('an answer that was lost can be asked for again, at any time', async () => {
      const first = await refreshTokenOf(await signedInByPassword(library));
      const second = await exchanged(first);
      expect(await exchanged(first)).toBe(second);
      await ageToken(first);
      expect(await exchanged(first)).toBe(second);
      await exchanged(second);
    });

    test('an older token within the reuse interval still works', async () => {
      const first = await refreshTokenOf(await signedInByPassword(library));
      await exchanged(await exchanged(first));
      expect(await exchanged(first)).toEqual(expect.any(String));
    });

    test('an older token beyond it revokes the whole family: refresh_token_already_used', async () => {
      const account = await signedInByPassword(library);
      const first = await refreshTokenOf(account);
      const third = await exchanged(await exchanged(first));
      await ageToken(first);
      expect((await exchange(first)).error).toMatchObject({
        name: 'AuthApiError',
        status: 400,
        code: 'refresh_token_already_used',
        message: 'Invalid Refresh Token: Already Used',
      });
      // Its own end is recent, so for a moment it counts as used twice by accident.
      await ageToken(third);
      expect((await exchange(third)).error).toMatchObject({
        status: 400,
        code: 'refresh_token_already_used',
      });
    });

    test('another session of the same user survives that', async () => {
      const account = await registered(library);
      const session = async () => {
        const { data } = await visitor(library).auth.signInWithPassword(account);
        return data.session?.refresh_token ?? '';
      };
      const [stolen, other] = [await session(), await session()];
      await exchanged(await exchanged(stolen));
      await ageToken(stolen);
      expect((await exchange(stolen)).error?.code).toBe('refresh_token_already_used');
      await exchanged(other);
    });

    test('many tabs at once all end with the same token', async () => {
      const first = await refreshTokenOf(await signedInByPassword(library));
      const tokens = await Promise.all(Array.from({ length: 6 }, () => exchanged(first)));
      expect(new Set(tokens).size).toBe(1);
      await exchanged(tokens[0] ?? '');
    });

    test('one client asks only once', async () => {
      const { client } = await signedInByPassword(library);
      const [first, second] = await Promise.all([client.auth.refreshSession(), client.auth.refreshSession()]);
      expect(first.error).toBeNull();
      expect(second.error).toBeNull();
      expect((await client.auth.getUser()).error).toBeNull();
    });

    test('an unknown token is 400 refresh_token_not_found', async () => {
      expect((await exchange('nonsense')).error).toMatchObject({
        name: 'AuthApiError',
        status: 400,
        code: 'refresh_token_not_found',
        message: 'Invalid Refresh Token: Refresh Token Not Found',
      });
    });

    test('an expired access token is exchanged before it is used', async () => {
      const account = await signedInByPassword(library);
      const { data } = await account.client.auth.getSession();
      const claims = claimsOf(data.session?.access_token ?? '');
      const expired = signed({ ...claims, iat: now() - 7200, exp: now() - 3600 }, inject('stack').jwtSecret);
      const client = visitor(library);
      const restored = await client.auth.setSession({
        access_token: expired,
        refresh_token: data.session?.refresh_token ?? '',
      });
      expect(restored.error).toBeNull();
      expect(restored.data.session?.access_token).not.toBe(expired);
      expect((await client.rpc('who_am_i')).data).toMatchObject({ uid: account.id });
    });
  });
});
