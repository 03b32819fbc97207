import { environment } from '../support/environment';
import { linkTo } from '../support/mailbox';
import { newAddress, newPerson, PASSWORD } from '../support/people';
import { inbox, openConversation } from '../support/inbox';
import { addNumber, customerWrites, newCustomer } from '../support/sandbox';
import { ask } from '../support/requests';
import { callAs } from '../support/people';
import { expect, failedRequests, signIn, test } from '../support/test';

test('a colleague is invited, signs up with the link and is told about their first conversation', async ({ page, team, browser }) => {
  const email = newAddress('ravi');
  await signIn(page, team.owner, '/settings/members');
  await page.getByRole('textbox', { name: 'E-mail' }).fill(email);
  await page.getByRole('button', { name: 'Make an invitation' }).click();
  const link = await page.getByTestId('invitation-link').innerText();
  expect(new URL(link).origin).toBe(new URL(environment.appUrl).origin);
  await expect(page.getByRole('list', { name: 'Open invitations' })).toContainText(email);

  const colleague = await (await browser.newContext({ reducedMotion: 'reduce' })).newPage();
  await colleague.goto(link);
  await colleague.getByRole('button', { name: 'Create an account' }).click();
  await colleague.getByLabel('Work e-mail').fill(email);
  await colleague.getByLabel('Password', { exact: true }).fill(PASSWORD);
  await colleague.getByRole('button', { name: 'Create account' }).click();
  await expect(colleague.getByRole('heading', { name: 'Check your mail' })).toBeVisible();
  await colleague.goto(await linkTo(email, /confirm/i));
  await expect(colleague.getByRole('heading', { name: 'You’re invited' })).toBeVisible();
  await colleague.getByRole('button', { name: 'Join the team' }).click();
  await expect(colleague.getByRole('heading', { name: 'Dashboard', level: 1 })).toBeVisible();

  // What an agent may not change is not offered.
  await colleague.goto('/settings/whatsapp');
  await expect(colleague.getByRole('region', { name: team.number.verifiedName })).toBeVisible();
  await expect(colleague.getByRole('button', { name: 'Disconnect' })).toHaveCount(0);

  const customer = newCustomer('Hana Handover');
  await customerWrites(team.number, customer, { text: 'Who can help me?' });
  await page.goto('/conversations');
  await openConversation(page, customer);
  await page.getByRole('button', { name: 'Assign this conversation' }).click();
  await page.getByRole('menuitem', { name: email.split('@')[0] }).click();
  await colleague.getByRole('button', { name: /^Notifications, / }).click();
  await colleague.getByRole('button', { name: /Assigned to you.*Priya Raman gave you the conversation with Hana Handover/ }).click();
  await expect(inbox(colleague).bubble('Who can help me?')).toBeVisible();
  await colleague.context().close();

  await page.goto('/settings/members');
  const row = page.getByRole('listitem').filter({ hasText: email });
  await row.getByRole('combobox').click();
  await page.getByRole('option', { name: /Viewer/ }).click();
  await expect(page.getByText(/is now viewer/)).toBeVisible();
  await row.getByRole('button', { name: /^More for/ }).click();
  await page.getByRole('menuitem', { name: 'Remove' }).click();
  await page.getByRole('dialog').getByRole('button', { name: 'Remove' }).click();
  await expect(row).toHaveCount(0);
});

test.describe('a number that WhatsApp refuses', () => {
  test.use({ allowed: [failedRequests] });

  test('says why, and connects when the token is right', async ({ page }) => {
    const owner = await newPerson('Nurul Owner');
    await callAs(owner, 'complete_onboarding', { p_full_name: 'Nurul Owner', p_org_name: 'Kedai Nurul' });
    const number = await addNumber('Kedai Nurul');
    await signIn(page, owner, '/settings/whatsapp');

    await page.getByRole('button', { name: 'Connect', exact: true }).click();
    await expect(page.getByText('Paste the whole access token.')).toBeVisible();
    await page.getByLabel('WhatsApp Business account id').fill(number.wabaId);
    await page.getByLabel('Phone number id').fill(number.phoneNumberId);
    await page.getByLabel('Access token').fill('not-the-token');
    await page.getByRole('button', { name: 'Connect', exact: true }).click();
    const card = page.getByRole('region', { name: new RegExp(number.phoneNumberId) });
    await expect(card.getByText('Needs attention')).toBeVisible();
    await expect(card.getByRole('alert')).toContainText('access token');
    // The banner tells everybody who opens any page.
    await page.goto('/conversations');
    await expect(page.getByRole('alert').filter({ hasText: 'disconnected' })).toBeVisible();
    await page.getByRole('button', { name: 'Open settings' }).click();

    await page.getByRole('button', { name: 'Connect again' }).click();
    await page.getByLabel('WhatsApp Business account id').fill(number.wabaId);
    await page.getByLabel('Phone number id').fill(number.phoneNumberId);
    await page.getByLabel('Access token').fill(number.token);
    await page.getByRole('button', { name: 'Connect', exact: true }).click();
    await expect(page.getByRole('region', { name: 'Kedai Nurul' }).getByText('Connected')).toBeVisible();
    await expect(page.getByRole('alert').filter({ hasText: 'disconnected' })).toHaveCount(0);

    // The token is nowhere in what the page may read.
    const session = await ask<{ access_token: string }>(`${environment.supabaseUrl}/auth/v1/token?grant_type=password`, {
      headers: { apikey: environment.anonKey },
      body: { email: owner.email, password: owner.password },
    });
    const accounts = await ask<object[]>(`${environment.supabaseUrl}/rest/v1/whatsapp_accounts?select=*`, {
      headers: { apikey: environment.anonKey, authorization: `Bearer ${session.access_token}` },
    });
    expect(JSON.stringify(accounts)).not.toContain(number.token);
  });
});
