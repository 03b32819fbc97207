import { environment } from '../support/environment';
import { linkTo, mailTo } from '../support/mailbox';
import { newPerson, signIn } from '../support/people';
import { expect, failedRequests, test } from '../support/test';

test.use({ allowed: [failedRequests] });

test('a forgotten password is replaced, and the link works once', async ({ page }) => {
  const person = await newPerson('Sarah Tan');

  await page.goto('/sign-in');
  await page.getByLabel('E-mail').fill(person.email);
  await page.getByLabel('Password', { exact: true }).fill('not-the-password');
  await page.getByRole('button', { name: 'Sign in' }).click();
  await expect(page.getByRole('alert')).toContainText('don’t match');

  await page.getByRole('link', { name: 'Forgot your password?' }).click();
  await expect(page.getByLabel('E-mail')).toHaveValue(person.email);
  await page.getByRole('button', { name: 'Send the link' }).click();
  await expect(page.getByRole('heading', { name: 'Check your mail' })).toBeVisible();

  const link = await linkTo(person.email, /password/i);
  await page.goto(link);
  await expect(page.getByRole('heading', { name: 'Choose a new password' })).toBeVisible();
  await page.getByLabel('New password').fill('Harbour-Violet-19');
  await page.getByRole('button', { name: 'Save and continue' }).click();
  await expect(page.getByRole('heading', { name: 'Set up your workspace' })).toBeVisible();

  await page.getByRole('button', { name: /^Sign out/ }).click();
  await expect(page.getByRole('heading', { name: 'Welcome back' })).toBeVisible();
  await page.goto(link);
  await expect(page.getByRole('heading', { name: 'Ask for a new link' })).toBeVisible();
  await expect(page.getByRole('alert')).toContainText('expired or was already used');

  await signIn(page, { ...person, password: 'Harbour-Violet-19' }, '/');
  await expect(page.getByRole('heading', { name: 'Set up your workspace' })).toBeVisible();
});

test('a link with token_hash is verified by the page itself', async ({ page }) => {
  const person = await newPerson('Daniel Ong');
  await page.goto('/forgot-password');
  await page.getByLabel('E-mail').fill(person.email);
  await page.getByRole('button', { name: 'Send the link' }).click();
  const { token_hash: hash } = await mailTo(person.email, /password/i);
  await page.goto(`/verify?token_hash=${hash}&type=recovery`);
  await expect(page.getByRole('heading', { name: 'Choose a new password' })).toBeVisible();
});

test('a broken link says so and offers a way on', async ({ page }) => {
  await page.goto('/verify?token_hash=0000&type=signup');
  await expect(page.getByRole('heading', { name: 'That link didn’t work' })).toBeVisible();
  await page.getByRole('link', { name: 'Go to sign in' }).click();
  await expect(page.getByRole('heading', { name: 'Welcome back' })).toBeVisible();
});

test('an address from elsewhere is not followed after signing in', async ({ page }) => {
  const person = await newPerson('Grace Wong');
  await signIn(page, person, '//evil.example/');
  expect(new URL(page.url()).origin).toBe(new URL(environment.appUrl).origin);
});
