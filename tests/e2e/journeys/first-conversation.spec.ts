import { linkTo } from '../support/mailbox';
import { newAddress, PASSWORD } from '../support/people';
import { addNumber, arrivesAt, customerReads, customerWrites, newCustomer } from '../support/sandbox';
import { inbox } from '../support/inbox';
import { expect, test } from '../support/test';

test('from signing up to a customer’s answer', async ({ page }) => {
  const email = newAddress('marcus');
  const number = await addNumber('Rumah Runcit');
  const customer = newCustomer('Aisyah Rahman');

  await test.step('sign up', async () => {
    await page.goto('/');
    await expect(page).toHaveURL(/sign-in/);
    await page.getByRole('link', { name: 'Create an account' }).click();
    await page.getByLabel('Work e-mail').fill(email);
    await page.getByLabel('Password', { exact: true }).fill('short');
    await page.getByRole('button', { name: 'Create account' }).click();
    await expect(page.getByText('Use at least 8 characters.').first()).toBeVisible();
    await page.getByLabel('Password', { exact: true }).fill(PASSWORD);
    await page.getByRole('button', { name: 'Create account' }).click();
    await expect(page.getByRole('heading', { name: 'Check your mail' })).toBeVisible();
    await expect(page.getByRole('link', { name: 'local mailbox' })).toHaveAttribute('href', /\/mailbox/);
  });

  await test.step('confirm the address', async () => {
    await page.goto(await linkTo(email, /confirm/i));
    await expect(page.getByRole('heading', { name: 'Set up your workspace' })).toBeVisible();
  });

  await test.step('set up the organisation', async () => {
    await page.getByLabel('Your name').fill('Marcus Lim');
    await page.getByLabel('Organisation').fill('Rumah Runcit');
    await page.reload();
    // Half-filled forms survive a reload.
    await expect(page.getByLabel('Organisation')).toHaveValue('Rumah Runcit');
    await page.getByRole('button', { name: 'Create workspace' }).click();
    await expect(page.getByRole('heading', { name: 'Dashboard', level: 1 })).toBeVisible();
  });

  await test.step('connect the sandbox number', async () => {
    await page.getByRole('button', { name: 'Connect a number' }).click();
    await page.getByRole('combobox', { name: 'Sandbox number' }).click();
    await page.getByRole('option').filter({ hasText: number.displayPhoneNumber }).click();
    await page.getByRole('button', { name: 'Use the sandbox number' }).click();
    await expect(page.getByRole('region', { name: 'Rumah Runcit' }).getByText('Connected')).toBeVisible();
  });

  const { row, bubble, box, send, list } = inbox(page);
  await test.step('the customer’s message appears by itself', async () => {
    await page.getByRole('link', { name: /^Conversations/ }).click();
    await expect(list.getByText('No conversations yet')).toBeVisible();
    await customerWrites(number, customer, { text: 'Hi, do you open on Sunday?' });
    await expect(row(customer)).toContainText('Hi, do you open on Sunday?');
    await expect(row(customer)).toContainText('1 unread message');
    await expect(page.getByRole('link', { name: /^Conversations, 1 unread/ })).toBeVisible();
    await row(customer).click();
    await expect(bubble('Hi, do you open on Sunday?')).toBeVisible();
    await expect(row(customer)).not.toContainText('unread message');
  });

  await test.step('the answer goes out and its ticks climb', async () => {
    await box.fill('Yes, from 10 to 6.');
    await send.click();
    await expect(bubble('Yes, from 10 to 6.')).toBeVisible();
    await expect(box).toHaveValue('');
    await arrivesAt(number, customer, 'Yes, from 10 to 6.');
    await expect(bubble('Yes, from 10 to 6.')).toContainText(/Delivered|Read/);
    await customerReads(number, customer);
    await expect(bubble('Yes, from 10 to 6.')).toContainText('Read');
  });

  await test.step('a second message lands in the open chat', async () => {
    await customerWrites(number, customer, { text: 'Great, see you then! 🙌' });
    await expect(bubble('Great, see you then! 🙌')).toBeVisible();
    await expect(page.getByRole('article').filter({ hasText: 'Great, see you then! 🙌' })).toHaveCount(1);
  });

  await test.step('sign out', async () => {
    await page.getByRole('button', { name: /^Account of/ }).click();
    await page.getByRole('menuitem', { name: 'Sign out' }).click();
    await expect(page.getByRole('heading', { name: 'Welcome back' })).toBeVisible();
    await page.goBack();
    await expect(page.getByRole('heading', { name: 'Welcome back' })).toBeVisible();
  });
});
