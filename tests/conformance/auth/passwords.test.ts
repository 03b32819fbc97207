import { describe, expect, test } from 'vitest';
import {
  accessToken,
  eachLibrary,
  freshEmail,
  PASSWORD,
  registered,
  signedInByPassword,
  visitor,
} from '../support/clients';
import { knownDifference } from '../support/differences';
import { ageMails, latestMail, linkIn, mailsTo } from '../support/mailbox';
import { MAIL_INTERVAL_SECONDS, SIGN_IN_ATTEMPTS } from '../support/stack';

const NEW_PASSWORD = 'brand-new-horse-8';

eachLibrary((library) => {
  describe('sign-in', () => {
    test('gives a session and the user', async () => {
      const { client, email, id } = await registered(library);
      const { data, error } = await client.auth.signInWithPassword({ email, password: PASSWORD });
      expect(error).toBeNull();
      expect(data.user).toMatchObject({ id, email, last_sign_in_at: expect.any(String) });
      expect(data.session).toMatchObject({ token_type: 'bearer', expires_in: 3600, user: { id } });
    });

    test('answers a wrong password and an unknown address alike', async () => {
      const { client, email } = await registered(library);
      const wrong = await client.auth.signInWithPassword({ email, password: 'wrong' });
      const unknown = await client.auth.signInWithPassword({ email: freshEmail(), password: 'wrong' });
      for (const { data, error } of [wrong, unknown]) {
        expect(data).toMatchObject({ user: null, session: null });
        expect(error).toMatchObject({
          name: 'AuthApiError',
          status: 400,
          code: 'invalid_credentials',
          message: 'Invalid login credentials',
        });
      }
    });

    test('is limited for each address: 429 over_request_rate_limit', async () => {
      const { client, email } = await registered(library);
      const other = await registered(library);
      const attempts = await Promise.all(
        Array.from({ length: SIGN_IN_ATTEMPTS }, () =>
          client.auth.signInWithPassword({ email, password: 'wrong' }),
        ),
      );
      expect(attempts.map(({ error }) => error?.code)).toEqual(
        Array(SIGN_IN_ATTEMPTS).fill('invalid_credentials'),
      );
      const { error } = await client.auth.signInWithPassword({ email, password: PASSWORD });
      expect(error).toMatchObject({
        status: 429,
        code: 'over_request_rate_limit',
        message: 'Request rate limit reached',
      });
      expect((await other.client.auth.signInWithPassword(other)).error).toBeNull();
    });
  });

  describe('recovery', () => {
    test('by the digits of the mail, then a new password', async () => {
      const { client, email } = await registered(library);
      expect(await client.auth.resetPasswordForEmail(email)).toMatchObject({ data: {}, error: null });
      const { token } = await latestMail(email);
      const { data, error } = await client.auth.verifyOtp({ type: 'recovery', email, token });
      expect(error).toBeNull();
      expect(data.session).not.toBeNull();
      expect((await client.auth.updateUser({ password: NEW_PASSWORD })).error).toBeNull();
      expect((await client.auth.signInWithPassword({ email, password: PASSWORD })).error?.code).toBe(
        'invalid_credentials',
      );
      expect((await client.auth.signInWithPassword({ email, password: NEW_PASSWORD })).error).toBeNull();
    });

    test('by the hash of the mail', async () => {
      const { client, email } = await registered(library);
      await client.auth.resetPasswordForEmail(email);
      const { token_hash } = await latestMail(email);
      expect((await client.auth.verifyOtp({ type: 'recovery', token_hash })).error).toBeNull();
    });

    test('by the link, which names its type, and by PKCE', async () => {
      const { client, email } = await registered(library);
      await client.auth.resetPasswordForEmail(email);
      const followed = await fetch(linkIn(await latestMail(email)), { redirect: 'manual' });
      const target = new URL(followed.headers.get('location') ?? '');
      expect(new URLSearchParams(target.hash.slice(1)).get('type')).toBe('recovery');

      const proven = visitor(library, { auth: { flowType: 'pkce' } });
      await ageMails(email, MAIL_INTERVAL_SECONDS);
      expect((await proven.auth.resetPasswordForEmail(email)).error).toBeNull();
      const second = await fetch(linkIn(await latestMail(email, 2)), { redirect: 'manual' });
      const code = new URL(second.headers.get('location') ?? '').searchParams.get('code') ?? '';
      const { data, error } = await proven.auth.exchangeCodeForSession(code);
      expect(error).toBeNull();
      expect(data.session?.user.email).toBe(email);
    });

    test('says the same of an unknown address and sends nothing', async () => {
      const email = freshEmail();
      expect(await visitor(library).auth.resetPasswordForEmail(email)).toMatchObject({
        data: {},
        error: null,
      });
      expect(await mailsTo(email)).toEqual([]);
    });

    test('is limited to one mail a minute', async () => {
      const { client, email } = await registered(library);
      await client.auth.resetPasswordForEmail(email);
      expect((await client.auth.resetPasswordForEmail(email)).error).toMatchObject({
        status: 429,
        code: 'over_email_send_rate_limit',
      });
    });
  });

  describe('updateUser', () => {
    test('refuses the same password, a weak one, and who is not signed in', async () => {
      const { client } = await signedInByPassword(library);
      expect((await client.auth.updateUser({ password: PASSWORD })).error).toMatchObject({
        status: 422,
        code: 'same_password',
        message: 'New password should be different from the old password.',
      });
      expect((await client.auth.updateUser({ password: 'x' })).error).toMatchObject({
        name: 'AuthWeakPasswordError',
        status: 422,
        code: 'weak_password',
        reasons: ['length'],
      });
      expect((await visitor(library).auth.updateUser({ password: NEW_PASSWORD })).error).toMatchObject({
        name: 'AuthSessionMissingError',
      });
    });

    test('keeps the own session and ends the others when the password changes', async () => {
      const account = await signedInByPassword(library);
      const other = visitor(library);
      await other.auth.signInWithPassword(account);
      expect((await account.client.auth.updateUser({ password: NEW_PASSWORD })).error).toBeNull();
      expect((await account.client.auth.getUser()).error).toBeNull();
      expect((await account.client.auth.refreshSession()).error).toBeNull();
      const token = await accessToken({ client: other });
      expect((await visitor(library).auth.getUser(token)).error).not.toBeNull();
      expect((await other.auth.refreshSession()).error).not.toBeNull();
    });

    test('merges metadata, removes nulls, and new tokens carry it', async () => {
      const { client } = await signedInByPassword(library);
      await client.auth.updateUser({ data: { colour: 'red', size: 1 } });
      const { data } = await client.auth.updateUser({ data: { size: 2, colour: null } });
      expect(data.user?.user_metadata).toMatchObject({ size: 2 });
      expect(data.user?.user_metadata).not.toHaveProperty('colour');
      const { data: claims } = await client.auth.refreshSession().then(() => client.auth.getClaims());
      expect(claims?.claims.user_metadata).toMatchObject({ size: 2 });
    });

    knownDifference(
      'changes the address after a mail',
      'The embedded stack refuses with 422 email_change_not_supported; the real one mails both addresses',
      async () => {
        const { client, email } = await signedInByPassword(library);
        const next = freshEmail();
        expect((await client.auth.updateUser({ email: next })).error).toBeNull();
        expect(await mailsTo(next)).not.toEqual([]);
        expect(await mailsTo(email)).not.toEqual([]);
      },
    );

    test('does not pretend to change the address', async () => {
      const { client, email } = await signedInByPassword(library);
      expect((await client.auth.updateUser({ email: freshEmail() })).error).toMatchObject({ status: 422 });
      expect((await client.auth.getUser()).data.user?.email).toBe(email);
    });
  });
});
