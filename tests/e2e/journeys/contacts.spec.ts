import { expect, failedRequests, signIn, test } from '../support/test';
import { callAs, joinTeam } from '../support/people';
import { customerWrites, newCustomer } from '../support/sandbox';
import { choose } from '../support/menu';

test.use({ allowed: [failedRequests] });

// No zero at the front: mobile numbers here have none.
const digits = () => String(2_000_000 + Math.floor(Math.random() * 7_000_000));

test('add, find, edit, delete and bring back a contact', async ({ page, team }) => {
  test.setTimeout(120_000);
  const local = `012-${digits()}`;
  await signIn(page, team.owner, '/contacts');

  await page.getByRole('button', { name: 'Add contact' }).first().click();
  // The rows behind it carry people's names in their labels.
  const drawer = page.getByRole('dialog');
  await expect(drawer.getByLabel('Phone number')).toBeFocused();
  await drawer.getByLabel('Phone number').fill('12');
  await drawer.getByRole('button', { name: 'Add contact' }).click();
  await expect(page.getByText('Enter a phone number, like +60 12-345 6789.')).toBeVisible();
  await drawer.getByLabel('Phone number').fill(local);
  await drawer.getByLabel('Name').fill('Zainab Osman');
  await drawer.getByLabel('E-mail').fill('zainab@example.com');
  await page.reload();
  await expect(drawer.getByLabel('Name')).toHaveValue('Zainab Osman');
  await drawer.getByRole('button', { name: 'Add contact' }).click();
  const international = `+6${local.replace('-', '')}`;
  await expect(page.getByRole('heading', { name: 'Zainab Osman' })).toBeVisible();
  await expect(page.getByRole('region', { name: 'Details' }).getByText(international)).toBeVisible();
  const contact = new URL(page.url()).pathname.split('/').at(-1);

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
    await expect(page.getByRole('heading', { name: 'Zainab Osman' })).toBeVisible();
  });

  const company = page.getByRole('button', { name: 'Edit company' });
  await test.step('an edit beside somebody else’s is saved', async () => {
    await company.click();
    await page.getByRole('textbox', { name: 'Company' }).fill('Kedai Zainab');
    await callAs(team.owner, 'set_contact_consent', { p_id: contact, p_status: 'opted_in', p_source: 'manual' });
    await page.keyboard.press('Enter');
    await expect(company).toContainText('Kedai Zainab');
    await expect(page.getByRole('region', { name: 'Opt-in' }).getByText('Opted in')).toBeVisible();
    await page.reload();
    await expect(company).toContainText('Kedai Zainab');
  });

  await test.step('of two edits of one field the second person chooses', async () => {
    await company.click();
    await page.getByRole('textbox', { name: 'Company' }).fill('Mine');
    const { contacts } = await callAs<{ contacts: { updated_at: string }[] }>(team.owner, 'list_contacts', {
      p_org_id: team.orgId,
      p_search: 'Zainab',
    });
    await callAs(team.owner, 'update_contact', {
      p_id: contact,
      p_fields: { company: 'Theirs' },
      p_expected_updated_at: contacts[0]?.updated_at,
    });
    await page.keyboard.press('Enter');
    const notice = page.getByRole('alert').filter({ hasText: 'Somebody else changed company' });
    await expect(notice).toContainText('Theirs: “Theirs”');
    await expect(company).toContainText('Theirs');
    await notice.getByRole('button', { name: 'Use mine' }).click();
    await expect(company).toContainText('Mine');
    await expect(notice).toBeHidden();
  });

  await test.step('what happened is told', async () => {
    const activity = page.getByRole('region', { name: 'Activity' });
    await expect(activity.getByText('Added by Priya Raman')).toBeVisible();
    await expect(activity.getByText(/Opt-in: Pending → Opted in/)).toBeVisible();
    await expect(activity.getByText(/Changed by Priya Raman: company/).first()).toBeVisible();
  });

  await test.step('delete with undo, from its page and from its row', async () => {
    await choose(page, page.getByRole('button', { name: 'More', exact: true }), 'Delete');
    await page.getByRole('button', { name: 'Undo', exact: true }).click();
    await expect(page.getByRole('row', { name: /Zainab Osman/ })).toBeVisible();
    await page.goto('/contacts?q=Zainab');
    await choose(page, page.getByRole('button', { name: 'Actions for Zainab Osman' }), 'Delete');
    await expect(page.getByText('Nobody found')).toBeVisible();
  });

  await test.step('from the trash it comes back, and can be erased for good', async () => {
    await page.goto('/contacts?trash=true');
    await page.getByRole('button', { name: 'Restore Zainab Osman' }).click();
    await expect(page.getByText('The trash is empty')).toBeVisible();
    await page.goto(`/contacts/${contact}`);
    await choose(page, page.getByRole('button', { name: 'More', exact: true }), 'Erase for good');
    const erase = page.getByRole('dialog').getByRole('button', { name: 'Erase for good' });
    await expect(erase).toBeDisabled();
    await page.getByRole('dialog').getByLabel('Type ERASE to confirm').fill('ERASE');
    await erase.click();
    await expect(page).toHaveURL(/\/contacts(\?|$)/);
    await page.goto('/contacts?q=Zainab');
    await expect(page.getByText('Nobody found')).toBeVisible();
  });
});

test('filter, select and change many', async ({ page, team }) => {
  test.setTimeout(120_000);
  for (const name of ['Bulk One', 'Bulk Two', 'Bulk Three']) {
    await callAs(team.owner, 'create_contact', {
      p_org_id: team.orgId,
      p_fields: { phone: `+6017${digits()}`, full_name: name },
    });
  }
  await callAs(team.owner, 'create_tag', { p_org_id: team.orgId, p_name: 'Newsletter' });
  await signIn(page, team.owner, '/contacts?q=Bulk&sort=name');

  await page.getByRole('checkbox', { name: 'Select Bulk One' }).click();
  await page.getByRole('button', { name: 'Select all 3 that match' }).click();
  const bar = page.getByRole('region', { name: 'Selected contacts' });
  await expect(bar.getByText('3 selected')).toBeVisible();
  await page.getByRole('checkbox', { name: 'Select Bulk Two' }).click();
  await bar.getByRole('button', { name: 'Actions' }).click();
  await page.getByRole('menuitem', { name: 'Add tag' }).click();
  await page.getByRole('dialog').getByText('Newsletter').click();
  await page.getByRole('dialog').getByRole('button', { name: 'Add to 2 contacts' }).click();
  await expect(page.getByText('2 contacts changed.')).toBeVisible();

  await test.step('the filter is in the address, and its chip takes it away', async () => {
    await page.getByRole('button', { name: 'Filter', exact: true }).click();
    await page.getByRole('dialog').getByRole('combobox', { name: 'Tags' }).click();
    await page.getByRole('option', { name: 'Newsletter' }).click();
    await page.keyboard.press('Escape');
    await page.getByRole('button', { name: 'Show 2 contacts' }).click();
    await page.reload();
    await expect(page.getByRole('row')).toHaveCount(3);
    await expect(page.getByRole('row', { name: /Bulk Two/ })).toBeHidden();
    await page.getByRole('button', { name: 'Remove filter Tag: Newsletter' }).click();
    await expect(page.getByRole('row')).toHaveCount(4);
  });

  await test.step('who is ticked becomes a static segment', async () => {
    const name = `Picked ${digits()}`;
    await page.getByRole('checkbox', { name: 'Select Bulk One' }).click();
    await page.getByRole('checkbox', { name: 'Select Bulk Three' }).click();
    await bar.getByRole('button', { name: 'Actions' }).click();
    await page.getByRole('menuitem', { name: 'Save as static segment' }).click();
    await expect(page.getByText('The 2 contacts you selected go on the list.')).toBeVisible();
    await page.getByRole('textbox', { name: 'Name' }).fill(name);
    await page.getByRole('button', { name: 'Freeze these 2 people' }).click();
    await expect(page.getByRole('heading', { name, level: 2 })).toBeVisible();
    await expect(page.getByText('Bulk Three')).toBeVisible();
    await expect(page.getByText('Bulk Two')).toBeHidden();

    await page.getByRole('button', { name: 'Take Bulk One off the list' }).click();
    await expect(page.getByRole('row', { name: /Bulk One/ })).toBeHidden();
    await page.getByRole('button', { name: 'Edit', exact: true }).click();
    await page.getByRole('textbox', { name: 'Description' }).fill('Chosen by hand');
    await page.getByRole('button', { name: 'Save changes' }).click();
    await expect(page.getByText('Chosen by hand')).toBeVisible();
    await expect(page.getByRole('row', { name: /Bulk Three/ })).toBeVisible();
    await page.goto('/contacts?q=Bulk&sort=name');
  });

  await test.step('delete the ticked ones, and take it back', async () => {
    await page.getByRole('checkbox', { name: 'Select Bulk One' }).click();
    await page.getByRole('checkbox', { name: 'Select Bulk Three' }).click();
    await bar.getByRole('button', { name: 'Actions' }).click();
    await page.getByRole('menuitem', { name: 'Delete' }).click();
    await expect(page.getByRole('row')).toHaveCount(2);
    await page.getByRole('button', { name: 'Undo', exact: true }).click();
    await expect(page.getByRole('row')).toHaveCount(4);
  });

  await test.step('what a colleague changes appears by itself', async () => {
    await callAs(team.owner, 'create_contact', {
      p_org_id: team.orgId,
      p_fields: { phone: `+6017${digits()}`, full_name: 'Bulk Zero' },
    });
    await expect(page.getByRole('row', { name: /Bulk Zero/ })).toBeVisible();
  });
});

test('who may change nothing is offered nothing', async ({ page, team }) => {
  const viewer = await joinTeam(team, 'Vera Viewer', 'viewer');
  await callAs(team.owner, 'create_contact', {
    p_org_id: team.orgId,
    p_fields: { phone: `+6017${digits()}`, full_name: 'Only Looking' },
  });
  await signIn(page, viewer, '/contacts?q=Only');
  await expect(page.getByRole('row', { name: /Only Looking/ })).toBeVisible();
  for (const name of ['Add contact', 'Import', 'Export', 'More']) {
    await expect(page.getByRole('button', { name, exact: true })).toBeHidden();
  }
  await expect(page.getByRole('checkbox')).toHaveCount(0);
  await page.getByRole('link', { name: 'Only Looking' }).click();
  await expect(page.getByRole('heading', { name: 'Only Looking' })).toBeVisible();
  await expect(page.getByRole('button', { name: /^Edit / })).toHaveCount(0);
  await expect(page.getByRole('button', { name: 'Change opt-in' })).toBeHidden();
  await page.getByRole('link', { name: 'Contacts' }).last().click();
  await expect(page).toHaveURL(/q=Only/);
});

test('from a contact to the conversation', async ({ page, team }) => {
  const customer = newCustomer('Prakash Opens');
  await customerWrites(team.number, customer, { text: 'Hello from Prakash' });
  await signIn(page, team.owner, '/contacts?q=Prakash');
  await page.getByRole('link', { name: 'Prakash Opens' }).click();
  await expect(page.getByRole('region', { name: 'Activity' }).getByText('Hello from Prakash')).toBeVisible();
  await page.getByRole('button', { name: 'Send message' }).click();
  await expect(page.getByRole('article').filter({ hasText: 'Hello from Prakash' })).toBeVisible();
});
