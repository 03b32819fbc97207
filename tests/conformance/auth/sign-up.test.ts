import { describe, expect, test } from 'vitest';
import { eachLibrary, freshEmail, PASSWORD, registered, visitor } from '../support/clients';
import { ageMails, latestMail, linkIn, mailsTo } from '../support/mailbox';
import { MAIL_INTERVAL_SECONDS, OTP_EXPIRY_SECONDS, SITE_URL } from '../support/stack';
import { claimsOf, now } from '../support/tokens';

const UUID = expect.stringMatching(/^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$/);
const TIME = expect.stringMatching(/^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d+)?(Z|[+-]\d\d:\d\d)$/);

eachLibrary((library) => {
  async function signedUp() {
    const client = visitor(library);
    const email = freshEmail();
    const { data, error } = await client.auth.signUp({
      email,
      password: PASSWORD,
      options: { data: { full_name: 'Ada' } },
    });
    return { client, email, data, error };
  }

  describe('sign-up', () => {
    test('gives an unconfirmed user, no session, and a mail', async () => {
      const { email, data, error } = await signedUp();
      expect(error).toBeNull();
      expect(data.session).toBeNull();
      expect(data.user).toMatchObject({
        id: UUID,
        aud: 'authenticated',
        role: 'authenticated',
        email,
        phone: '',
        confirmation_sent_at: TIME,
        app_metadata: { provider: 'email', providers: ['email'] },
        user_metadata: { full_name: 'Ada', email },
        identities: [{ provider: 'email', user_id: data.user?.id, identity_data: { email } }],
        is_anonymous: false,
        created_at: TIME,
        updated_at: TIME,
      });
      expect(data.user?.email_confirmed_at).toBeUndefined();
      const [mail, ...others] = await mailsTo(email);
      expect(others).toEqual([]);
      expect(mail).toMatchObject({ to: email, token: expect.stringMatching(/^\d{6}$/) });
      expect(mail?.body_text).toContain(mail?.token);
    });

    test('the address is confirmed before the first sign-in: email_not_confirmed', async () => {
      const { client, email } = await signedUp();
      const { data, error } = await client.auth.signInWithPassword({ email, password: PASSWORD });
      expect(data).toMatchObject({ session: null, user: null });
      expect(error).toMatchObject({
        name: 'AuthApiError',
        status: 400,
        code: 'email_not_confirmed',
        message: 'Email not confirmed',
      });
    });

    test('a wrong password for an unconfirmed address says no more than for an unknown one', async () => {
      const { client, email } = await signedUp();
      const { error } = await client.auth.signInWithPassword({ email, password: 'not the password' });
      expect(error).toMatchObject({ status: 400, code: 'invalid_credentials' });
    });

    test('the hash of the link verifies and signs in', async () => {
      const { client, email } = await signedUp();
      const mail = await latestMail(email);
      const { data, error } = await client.auth.verifyOtp({ type: 'email', token_hash: mail.token_hash });
      expect(error).toBeNull();
      expect(data.user).toMatchObject({
        email,
        email_confirmed_at: TIME,
        confirmed_at: TIME,
        last_sign_in_at: TIME,
      });
      expect(data.session).toMatchObject({
        token_type: 'bearer',
        expires_in: 3600,
        refresh_token: expect.any(String),
        user: { email },
      });
      expect(Math.abs((data.session?.expires_at ?? 0) - now() - 3600)).toBeLessThan(30);
      expect((await client.auth.getUser()).data.user?.email).toBe(email);
    });

    test('the six digits verify and sign in, under the types signup and email', async () => {
      for (const type of ['signup', 'email'] as const) {
        const { client, email } = await signedUp();
        const { token } = await latestMail(email);
        const { data, error } = await client.auth.verifyOtp({ type, email, token });
        expect(error).toBeNull();
        expect(data.session?.access_token).toEqual(expect.any(String));
      }
    });

    test('the access token carries the claims of GoTrue', async () => {
      const { client, email, data } = await signedUp();
      const { token } = await latestMail(email);
      const verified = await client.auth.verifyOtp({ type: 'signup', email, token });
      const claims = claimsOf(verified.data.session?.access_token ?? '');
      expect(claims).toMatchObject({
        sub: data.user?.id,
        aud: 'authenticated',
        role: 'authenticated',
        email,
        phone: '',
        app_metadata: { provider: 'email', providers: ['email'] },
        user_metadata: { full_name: 'Ada', email_verified: true },
        aal: 'aal1',
        amr: [{ method: 'otp', timestamp: expect.any(Number) }],
        session_id: UUID,
        is_anonymous: false,
        iss: expect.stringMatching(/\/auth\/v1$/),
      });
      expect(Number(claims.exp) - Number(claims.iat)).toBe(3600);
    });

    test('wrong digits, used digits and used hashes are 403 otp_expired', async () => {
      const { client, email } = await signedUp();
      const { token, token_hash } = await latestMail(email);
      const wrong = token === '000000' ? '000001' : '000000';
      const refusal = { status: 403, code: 'otp_expired', message: 'Token has expired or is invalid' };
      expect((await client.auth.verifyOtp({ type: 'email', email, token: wrong })).error).toMatchObject(
        refusal,
      );
      expect((await client.auth.verifyOtp({ type: 'email', email, token })).error).toBeNull();
      expect((await client.auth.verifyOtp({ type: 'email', email, token })).error).toMatchObject(refusal);
      expect((await client.auth.verifyOtp({ type: 'email', token_hash })).error).toMatchObject({
        status: 403,
        code: 'otp_expired',
        message: 'Email link is invalid or has expired',
      });
      expect(
        (await client.auth.verifyOtp({ type: 'email', email: freshEmail(), token: wrong })).error,
      ).toMatchObject(refusal);
    });

    test('a confirmation is no recovery', async () => {
      const { client, email } = await signedUp();
      const { token, token_hash } = await latestMail(email);
      expect((await client.auth.verifyOtp({ type: 'recovery', email, token })).error?.code).toBe(
        'otp_expired',
      );
      expect((await client.auth.verifyOtp({ type: 'recovery', token_hash })).error?.code).toBe('otp_expired');
    });

    test('links and digits end with their time: otp_expired', async () => {
      const { client, email } = await signedUp();
      const mail = await latestMail(email);
      await ageMails(email, OTP_EXPIRY_SECONDS + 1);
      const { token, token_hash } = mail;
      expect((await client.auth.verifyOtp({ type: 'email', email, token })).error?.code).toBe('otp_expired');
      expect((await client.auth.verifyOtp({ type: 'email', token_hash })).error?.code).toBe('otp_expired');
      const followed = await fetch(linkIn(mail), { redirect: 'manual' });
      expect(followed.status).toBe(303);
      const target = new URL(followed.headers.get('location') ?? '');
      expect(target.origin).toBe(new URL(SITE_URL).origin);
      expect(Object.fromEntries(new URLSearchParams(target.hash.slice(1)))).toMatchObject({
        error: 'access_denied',
        error_code: 'otp_expired',
        error_description: 'Email link is invalid or has expired',
      });
    });
  });

  describe('addresses that are taken', () => {
    test('a confirmed one is answered like a new one, with a made-up user and no mail', async () => {
      const { email, client } = await registered(library);
      const { data, error } = await client.auth.signUp({ email, password: 'another-password-1' });
      expect(error).toBeNull();
      expect(data.session).toBeNull();
      expect(data.user).toMatchObject({ id: UUID, email, identities: [] });
      expect(await mailsTo(email)).toEqual([]);
      expect((await client.auth.signInWithPassword({ email, password: PASSWORD })).error).toBeNull();
    });

    test('an unconfirmed one gets another mail, but not within a minute, and keeps its password', async () => {
      const { client, email } = await signedUp();
      const again = () => client.auth.signUp({ email: email.toUpperCase(), password: 'another-password-1' });
      expect((await again()).error).toMatchObject({ status: 429, code: 'over_email_send_rate_limit' });
      await ageMails(email, MAIL_INTERVAL_SECONDS);
      expect((await again()).error).toBeNull();
      const { token } = await latestMail(email, 2);
      expect((await client.auth.verifyOtp({ type: 'email', email, token })).error).toBeNull();
      expect(
        (await client.auth.signInWithPassword({ email, password: 'another-password-1' })).error?.code,
      ).toBe('invalid_credentials');
      expect((await client.auth.signInWithPassword({ email, password: PASSWORD })).error).toBeNull();
    });

    test('the address is the same in any case of letters', async () => {
      const { email, client, id } = await registered(library);
      const { data } = await client.auth.signInWithPassword({
        email: email.toUpperCase(),
        password: PASSWORD,
      });
      expect(data.user?.id).toBe(id);
    });
  });

  describe('resend', () => {
    test('waits a minute, then sends a new mail that replaces the old one', async () => {
      const { client, email } = await signedUp();
      const first = await latestMail(email);
      const { error } = await client.auth.resend({ type: 'signup', email });
      expect(error).toMatchObject({ status: 429, code: 'over_email_send_rate_limit' });
      expect(error?.message).toMatch(
        /^For security purposes, you can only request this after \d+ seconds?\.$/,
      );
      await ageMails(email, MAIL_INTERVAL_SECONDS);
      expect((await client.auth.resend({ type: 'signup', email })).error).toBeNull();
      const second = await latestMail(email, 2);
      expect(second.token_hash).not.toBe(first.token_hash);
      expect((await client.auth.verifyOtp({ type: 'email', token_hash: first.token_hash })).error?.code).toBe(
        'otp_expired',
      );
      expect(
        (await client.auth.verifyOtp({ type: 'email', token_hash: second.token_hash })).error,
      ).toBeNull();
    });

    test('says the same of addresses that are unknown or confirmed, and sends nothing', async () => {
      const { email, client } = await registered(library);
      for (const address of [email, freshEmail()]) {
        expect(await client.auth.resend({ type: 'signup', email: address })).toMatchObject({
          data: { user: null, session: null },
          error: null,
        });
        expect(await mailsTo(address)).toEqual([]);
      }
    });
  });

  describe('what is refused', () => {
    test('a weak password, with its reasons', async () => {
      const { error } = await visitor(library).auth.signUp({ email: freshEmail(), password: '12345' });
      expect(error).toMatchObject({
        name: 'AuthWeakPasswordError',
        status: 422,
        code: 'weak_password',
        reasons: ['length'],
      });
    });

    test('a password longer than bcrypt reads', async () => {
      const { error } = await visitor(library).auth.signUp({ email: freshEmail(), password: 'x'.repeat(73) });
      expect(error).toMatchObject({ status: 400, code: 'validation_failed' });
    });

    test('no password, and what is no address', async () => {
      const { auth } = visitor(library);
      expect((await auth.signUp({ email: freshEmail(), password: '' })).error).toMatchObject({
        status: 400,
        code: 'validation_failed',
        message: 'Signup requires a valid password',
      });
      for (const email of ['nobody', 'a@b@c', 'a b@c.de']) {
        const { error } = await auth.signUp({ email, password: PASSWORD });
        expect(error).toMatchObject({ status: 400, code: 'validation_failed' });
      }
    });

    test('anonymous and phone sign-in, which are off', async () => {
      const { auth } = visitor(library);
      expect((await auth.signInAnonymously()).error).toMatchObject({
        status: 422,
        code: 'anonymous_provider_disabled',
      });
      expect(
        (await auth.signInWithPassword({ phone: '+60123456789', password: PASSWORD })).error,
      ).toMatchObject({
        status: 400,
        code: 'phone_provider_disabled',
      });
    });
  });
});
