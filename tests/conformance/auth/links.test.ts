import { describe, expect, inject, test } from 'vitest';
import { type Client, eachLibrary, freshEmail, PASSWORD, visitor } from '../support/clients';
import { ageMails, latestMail, linkIn } from '../support/mailbox';
import { MAIL_INTERVAL_SECONDS, OTHER_SITE_URL, SITE_URL } from '../support/stack';

/** Where a link leads, without going there. */
async function follow(link: string): Promise<URL> {
  const response = await fetch(link, { redirect: 'manual' });
  expect(response.status).toBe(303);
  return new URL(response.headers.get('location') ?? '');
}

const fragment = (url: URL) => Object.fromEntries(new URLSearchParams(url.hash.slice(1)));

eachLibrary((library) => {
  async function signUp(client: Client, emailRedirectTo?: string): Promise<string> {
    const email = freshEmail();
    const { error } = await client.auth.signUp({
      email,
      password: PASSWORD,
      options: emailRedirectTo === undefined ? {} : { emailRedirectTo },
    });
    expect(error).toBeNull();
    return email;
  }

  describe('implicit links', () => {
    test('end at the site with a session in the fragment', async () => {
      const client = visitor(library);
      const email = await signUp(client);
      const link = linkIn(await latestMail(email));
      expect(new URL(link).origin).toBe(inject('stack').url);
      const target = await follow(link);
      expect(target.origin + target.search).toBe(SITE_URL);
      const session = fragment(target);
      expect(session).toMatchObject({
        access_token: expect.any(String),
        refresh_token: expect.any(String),
        expires_in: '3600',
        expires_at: expect.stringMatching(/^\d+$/),
        token_type: 'bearer',
        type: 'signup',
        sb: '',
      });
      const { access_token = '', refresh_token = '' } = session;
      const { data } = await client.auth.setSession({ access_token, refresh_token });
      expect(data.user?.email).toBe(email);
      expect((await client.auth.refreshSession()).error).toBeNull();
    });

    test('work once', async () => {
      const email = await signUp(visitor(library));
      const link = linkIn(await latestMail(email));
      await follow(link);
      expect(fragment(await follow(link))).toMatchObject({
        error: 'access_denied',
        error_code: 'otp_expired',
        error_description: 'Email link is invalid or has expired',
        sb: '',
      });
    });

    test('return to an allowed address with its path and query, and never to others', async () => {
      const allowed = await signUp(visitor(library), `${OTHER_SITE_URL}/welcome?from=mail`);
      const target = await follow(linkIn(await latestMail(allowed)));
      expect(target.href.split('#')[0]).toBe(`${OTHER_SITE_URL}/welcome?from=mail`);
      for (const elsewhere of [
        'https://evil.example/',
        `${OTHER_SITE_URL}.evil.example/`,
        `http://app.conformance.test@evil.example/`,
        '//evil.example',
        'javascript:alert(1)',
      ]) {
        const email = await signUp(visitor(library), elsewhere);
        const { origin } = await follow(linkIn(await latestMail(email)));
        expect(origin, elsewhere).toBe(new URL(SITE_URL).origin);
      }
    });

    test('with a token that is none answer a redirect too', async () => {
      const { url } = inject('stack');
      const target = await follow(`${url}/auth/v1/verify?token=nonsense&type=signup`);
      expect(target.origin).toBe(new URL(SITE_URL).origin);
      expect(fragment(target)).toMatchObject({ error_code: 'otp_expired' });
    });
  });

  describe('PKCE links', () => {
    const pkce = () => visitor(library, { auth: { flowType: 'pkce' } });

    test('end at the site with a code that only the client who asked can exchange', async () => {
      const client = pkce();
      const email = await signUp(client);
      const mail = await latestMail(email);
      expect(mail.token_hash).toMatch(/^pkce_/);
      const target = await follow(linkIn(mail));
      expect(target.origin).toBe(new URL(SITE_URL).origin);
      const code = target.searchParams.get('code') ?? '';
      expect([...target.searchParams.keys()]).toEqual(['code']);
      expect(target.hash).toBe('');

      const thief = pkce();
      await signUp(thief);
      expect((await thief.auth.exchangeCodeForSession(code)).error).toMatchObject({
        status: 400,
        code: 'bad_code_verifier',
      });

      const { data, error } = await client.auth.exchangeCodeForSession(code);
      expect(error).toBeNull();
      expect(data.session?.user).toMatchObject({ email, email_confirmed_at: expect.any(String) });

      const { url, anonKey } = inject('stack');
      const again = await fetch(`${url}/auth/v1/token?grant_type=pkce`, {
        method: 'POST',
        headers: { apikey: anonKey, 'content-type': 'application/json' },
        body: JSON.stringify({ auth_code: code, code_verifier: 'x'.repeat(43) }),
      });
      expect(again.status).toBe(404);
      expect(await again.json()).toMatchObject({ error_code: 'flow_state_not_found' });
    });

    test('report a failure in the query as well as in the fragment', async () => {
      const email = await signUp(pkce());
      const link = linkIn(await latestMail(email));
      await follow(link);
      const target = await follow(link);
      const failure = { error: 'access_denied', error_code: 'otp_expired' };
      expect(Object.fromEntries(target.searchParams)).toMatchObject(failure);
      expect(fragment(target)).toMatchObject(failure);
    });

    test('let the six digits verify without the code', async () => {
      const client = pkce();
      const email = await signUp(client);
      const { token } = await latestMail(email);
      const { data, error } = await client.auth.verifyOtp({ type: 'signup', email, token });
      expect(error).toBeNull();
      expect(data.session?.user.email).toBe(email);
    });
  });

  describe('sign-in links', () => {
    test('sign in a known user, by link, hash or digits', async () => {
      const client = visitor(library);
      const email = await signUp(client);
      const { token } = await latestMail(email);
      await client.auth.verifyOtp({ type: 'signup', email, token });
      const request = () => client.auth.signInWithOtp({ email, options: { shouldCreateUser: false } });

      expect((await request()).error).toBeNull();
      const byDigits = await latestMail(email, 2);
      expect((await client.auth.verifyOtp({ type: 'email', email, token: byDigits.token })).error).toBeNull();

      expect((await request()).error).toMatchObject({ status: 429, code: 'over_email_send_rate_limit' });
      await ageMails(email, MAIL_INTERVAL_SECONDS);
      expect((await request()).error).toBeNull();
      const byLink = await latestMail(email, 3);
      expect(fragment(await follow(linkIn(byLink)))).toMatchObject({ type: 'magiclink' });
    });

    test('sign up a new one when allowed, and refuse when not', async () => {
      const client = visitor(library);
      const email = freshEmail();
      const refused = await client.auth.signInWithOtp({ email, options: { shouldCreateUser: false } });
      expect(refused.error).toMatchObject({ status: 422, code: 'otp_disabled' });
      expect((await client.auth.signInWithOtp({ email })).error).toBeNull();
      const { token } = await latestMail(email);
      const { data } = await client.auth.verifyOtp({ type: 'email', email, token });
      expect(data.user).toMatchObject({ email, email_confirmed_at: expect.any(String) });
    });
  });
});
