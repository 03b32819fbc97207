import { expect, signIn, test } from '../support/test';
import { callAs } from '../support/people';
import { customerWrites, newCustomer } from '../support/sandbox';
import { failedRequests } from '../support/test';

test.use({ allowed: [failedRequests] });

const digits = () => String(Math.floor(Math.random() * 1e7)).padStart(7, '0');

test('add, find, edit, delete and bring back a contact', async ({ page, team }) => {
  const local = `012-${digits()}`;
  await signIn(page, team.owner, '/contacts');

  await page.getByRole('button', { name: 'Add contact' }).first().click();
  await expect(page.getByLabel('Phone number')).toBeFocused();
  await page.getByLabel('Phone number').fill('12');
  await page.getByRole('dialog').getByRole('button', { name: 'Add contact' }).click();
  await expect(page.getByText('Enter a phone number, like +60 12-345 6789.')).toBeVisible();
  await page.getByLabel('Phone number').fill(local);
  await page.getByLabel('Name').fill('Zainab Osman');
  await page.getByLabel('E-mail').fill('zainab@example.com');
  await page.reload();
  await expect(page.getByLabel('Name')).toHaveValue('Zainab Osman');
  await page.getByRole('dialog').getByRole('button', { name: 'Add contact' }).click();
  const international = `+6${local.replace('-', '')}`;
  await expect(page.getByRole('dialog').getByText(international)).toBeVisible();

  await test.step('the number in any notation finds it', async () => {
    await page.goto('/contacts');
    await page.getByRole('searchbox', { name: 'Search contacts' }).fill(local);
    await expect(page.getByRole('row')).toHaveCount(2);
    await expect(page.getByRole('row', { name: /Zainab Osman/ })).toBeVisible();
    await expect(page).toHaveURL(/q=/);
  });

  await test.step('a second one with the same number leads to the first', async () => {
    await page.goto('/contacts?add=true');
    await page.getByLabel('Phone number').fill(international);
    await page.getByRole('dialog').getByRole('button', { name: 'Add contact' }).click();
    await expect(page.getByRole('alert')).toContainText('already has this phone number');
    await page.getByRole('link', { name: 'Open that contact' }).click();
    await expect(page.getByRole('dialog').getByRole('heading', { name: 'Zainab Osman' })).toBeVisible();
  });

  await test.step('an edit that somebody overtook is refused and nothing typed is lost', async () => {
    const contact = new URL(page.url()).searchParams.get('contact')?.replaceAll('"', '');
    await page.getByRole('button', { name: 'Edit' }).click();
    await page.getByLabel('Company').fill('Kedai Zainab');
    await callAs(team.owner, 'set_contact_consent', { p_id: contact, p_status: 'opted_in', p_source: 'manual' });
    await page.getByRole('button', { name: 'Save changes' }).click();
    await expect(page.getByRole('alert')).toContainText('Someone else just changed this contact');
    await expect(page.getByLabel('Company')).toHaveValue('Kedai Zainab');
    await page.getByRole('button', { name: 'Save changes' }).click();
    await expect(page.getByRole('dialog').getByText('Kedai Zainab')).toBeVisible();
    await expect(page.getByRole('dialog').getByText('Opted in')).toBeVisible();
  });

  await test.step('delete with undo', async () => {
    await page.getByRole('button', { name: 'Delete' }).click();
    await page.goto(`/contacts?q=Zainab`);
    await expect(page.getByText('Nobody found')).toBeVisible();
    await callAs(team.owner, 'create_contact', { p_org_id: team.orgId, p_fields: { phone: `+6019${digits()}`, full_name: 'Undo Me' } });
    await page.goto('/contacts?q=Undo');
    await page.getByRole('button', { name: 'Undo Me' }).click();
    await page.getByRole('button', { name: 'Delete' }).click();
    await expect(page.getByText('Nobody found')).toBeVisible();
    await page.getByRole('button', { name: 'Undo', exact: true }).click();
    await expect(page.getByRole('row', { name: /Undo Me/ })).toBeVisible();
  });
});

test('from a contact to the conversation', async ({ page, team }) => {
  const customer = newCustomer('Prakash Opens');
  await customerWrites(team.number, customer, { text: 'Hello from Prakash' });
  await signIn(page, team.owner, '/contacts?q=Prakash');
  await page.getByRole('button', { name: 'Prakash Opens' }).click();
  await page.getByRole('button', { name: 'Open conversation' }).click();
  await expect(page.getByRole('article').filter({ hasText: 'Hello from Prakash' })).toBeVisible();
});
