import type { Page } from '@playwright/test';
import { expectAccessible } from '../support/axe';
import { inbox, openConversation } from '../support/inbox';
import { choose } from '../support/menu';
import { callAs, joinTeam } from '../support/people';
import { customerWrites, newCustomer } from '../support/sandbox';
import { decidedTemplate, makeTemplate, newTemplateName, reminder, templateArrivesAt } from '../support/templates';
import { expect, failedRequests, signIn, test } from '../support/test';

const field = (page: Page, name: string) => page.getByRole('textbox', { name, exact: true });
const preview = (page: Page) => page.getByRole('figure', { name: 'Preview on a phone' });
const saved = (page: Page) => expect(page.getByText(/^Saved \d+ s ago$/)).toBeVisible();

/** A PNG of one pixel. */
const PIXEL = Buffer.from(
  'iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mNk+M9QDwADhgGAWjR9awAAAABJRU5ErkJggg==',
  'base64',
);

test('write a template, mend it, submit it, and see Meta approve it', async ({ page, team }) => {
  test.slow();
  const name = newTemplateName('order_ready');
  await signIn(page, team.owner, '/templates');
  await page.getByRole('button', { name: 'New template' }).first().click();

  await test.step('the words, with variables and their samples, on the phone at once', async () => {
    await page.getByRole('radio', { name: 'Utility' }).click();
    await field(page, 'Name').fill(name.replaceAll('_', ' ').toUpperCase());
    await expect(field(page, 'Name')).toHaveValue(name);
    await field(page, 'Body').fill('Hello ');
    await field(page, 'Body').press('End');
    await choose(page, page.getByRole('button', { name: 'Add a variable to body' }), '{{first_name}}');
    await expect(field(page, 'Body')).toHaveValue('Hello {{first_name}}');
    await expect(field(page, 'Body')).toBeFocused();
    await page.keyboard.type(', your *order* is ready to be collected at our desk today.');
    await field(page, 'Sample of first_name in body').fill('Aina');
    await field(page, 'Footer').fill('Lotus Fitness');
    await expect(preview(page)).toContainText('Hello Aina, your order is ready');
    await expect(preview(page).locator('strong')).toHaveText('order');
  });

  await test.step('buttons: one tracked link and a quick reply, put in order', async () => {
    await choose(page, page.getByRole('button', { name: 'Add button' }), 'Website');
    await page.getByLabel('Label').first().fill('See your order');
    await choose(page, page.getByRole('button', { name: 'Add button' }), 'Quick reply');
    await page.getByLabel('Label').nth(1).fill('Thanks');
    await expect(page.getByRole('switch', { name: 'Track clicks' })).toBeChecked();
    await page.getByRole('button', { name: 'Move “Thanks” up' }).click();
    await expect(page.getByLabel('Label').first()).toHaveValue('Thanks');
    await expect(preview(page).getByRole('list', { name: 'Buttons' }).getByRole('listitem').first()).toHaveText('Thanks');
  });

  await test.step('what is wrong stands at its field and in the list, which jumps there', async () => {
    await page.getByRole('button', { name: 'Review and submit' }).click();
    await expect(page.getByRole('textbox', { name: 'Leads to' })).toBeFocused();
    await page.getByRole('textbox', { name: 'Leads to' }).blur();
    await page.getByRole('button', { name: 'Where does this button lead?' }).click();
    await expect(page.getByRole('textbox', { name: 'Leads to' })).toBeFocused();
    await page.getByRole('textbox', { name: 'Leads to' }).fill('https://example.com/orders');
    await expect(page.getByRole('button', { name: 'Where does this button lead?' })).toHaveCount(0);
  });

  await test.step('it saves itself, and a reload goes on with it', async () => {
    await saved(page);
    await expect(page).toHaveURL(/draft=/);
    await page.reload();
    await expect(field(page, 'Name')).toHaveValue(name);
    await expect(page.getByRole('textbox', { name: 'Leads to' })).toHaveValue('https://example.com/orders');
    await expect(preview(page)).toContainText('Hello Aina');
  });

  await test.step('the page before Meta says what happens', async () => {
    await page.getByRole('button', { name: 'Review and submit' }).click();
    await expect(page.getByText('What happens then')).toBeVisible();
    await expect(page.getByText(/Meta reviews it/)).toBeVisible();
    await expectAccessible(page, 'review of a template');
    await page.getByRole('button', { name: 'Submit to Meta' }).click();
    await expect(page.getByRole('heading', { name })).toBeVisible();
  });

  // Nobody reloads: the word of Meta arrives by itself.
  await expect(page.getByText('Approved', { exact: true })).toBeVisible({ timeout: 30_000 });
  await expect(page.getByText('https://example.com/orders')).toBeVisible();
  await page.getByRole('button', { name: /^Notifications/ }).click();
  await expect(page.getByText(`Meta approved “${name}”. You can send it now.`)).toBeVisible();
});

test('a header’s image is checked, uploaded, shown and comes back', async ({ page, team }) => {
  const template = await makeTemplate(team, reminder());
  await signIn(page, team.owner, `/templates/${template.id}/edit`);
  await page.getByLabel('Header', { exact: true }).selectOption('image');
  const chooser = page.getByLabel('Sample image');
  await chooser.setInputFiles({ name: 'notes.txt', mimeType: 'text/plain', buffer: Buffer.from('no') });
  await expect(page.getByText(/doesn’t take this kind of file/)).toBeVisible();
  await chooser.setInputFiles({ name: 'Our Desk.png', mimeType: 'image/png', buffer: PIXEL });
  await expect(page.getByText('Our-Desk.png')).toBeVisible();
  await expect(preview(page).locator('img')).toBeVisible();
  await saved(page);
  await page.goto(`/templates/${template.id}`);
  await expect(preview(page).locator('img')).toBeVisible();
  await expect.poll(() => preview(page).locator('img').evaluate((image: HTMLImageElement) => image.naturalWidth)).toBe(1);
});

test('a rejection is told in words, with what to do, and can be mended', async ({ page, team }) => {
  test.slow();
  const template = await decidedTemplate(team, { ...reminder(), name: newTemplateName('reject_me') }, 'rejected');
  await signIn(page, team.owner, `/templates/${template.id}`);
  await expect(page.getByText('Rejected', { exact: true })).toBeVisible();
  await expect(page.getByText(/submit it again/).first()).toBeVisible();
  await page.getByRole('button', { name: 'Edit' }).click();
  // Meta has the name already.
  await expect(field(page, 'Name')).toBeDisabled();
  await field(page, 'Footer').fill('Lotus');
  await saved(page);
  await page.getByRole('button', { name: 'Review and submit' }).click();
  await page.getByRole('button', { name: 'Submit to Meta' }).click();
  await expect(page.getByText(/In review|Rejected/).first()).toBeVisible();
});

test('the list filters, sorts, shows both ways and keeps all of that in its address', async ({ page, team }) => {
  const draft = await makeTemplate(team, { ...reminder(), name: newTemplateName('a_draft'), language: 'ms' });
  const other = await makeTemplate(team, { ...reminder(), name: newTemplateName('offer'), category: 'marketing' });
  await signIn(page, team.owner, '/templates');
  const cards = page.getByRole('list', { name: 'Templates' });
  await expect(cards.getByRole('link', { name: draft.name })).toBeVisible();
  await page.getByLabel('Category').selectOption('marketing');
  await expect(cards.getByRole('link', { name: draft.name })).toHaveCount(0);
  await expect(cards.getByRole('link', { name: other.name })).toBeVisible();
  await expect(page).toHaveURL(/category=marketing/);
  await page.getByLabel('Category').selectOption('');
  await page.getByLabel('Language').selectOption('ms');
  await expect(cards.getByRole('link', { name: draft.name })).toBeVisible();
  await page.getByRole('button', { name: 'Table' }).click();
  await expect(page.getByRole('table').getByRole('link', { name: draft.name })).toBeVisible();
  await page.reload();
  await expect(page.getByRole('table').getByRole('link', { name: draft.name })).toBeVisible();
  await page.getByRole('searchbox', { name: 'Search templates' }).fill('nothing like it');
  await expect(page.getByText('No template found')).toBeVisible();
  await page.getByRole('button', { name: 'Show all templates' }).click();
  await page.getByRole('switch', { name: 'Top performing' }).click();
  await expect(page).toHaveURL(/top=true/);

  await page.setViewportSize({ width: 360, height: 780 });
  await expect(page.getByLabel('Category')).toBeHidden();
  await page.getByRole('button', { name: 'Filter, 1 in use' }).click();
  await expect(page.getByLabel('Category')).toBeVisible();
  await expectAccessible(page, 'the filters of templates on a phone');
});

test.describe('what the database refuses', () => {
  test.use({ allowed: [failedRequests] });

test('duplicate a template, delete the copy; what is at Meta asks for its name', async ({ page, team }) => {
  test.slow();
  const template = await decidedTemplate(team, reminder());
  const copy = newTemplateName('copy');
  await signIn(page, team.owner, `/templates/${template.id}`);
  const more = () => page.getByRole('button', { name: /^More for/ });
  await choose(page, more(), 'Duplicate');
  await page.getByLabel('Name of the copy').fill(template.name);
  await page.getByRole('dialog').getByRole('button', { name: 'Duplicate' }).click();
  await expect(page.getByText('You already have a template with this name and language.')).toBeVisible();
  await page.getByLabel('Name of the copy').fill(copy);
  await page.getByRole('dialog').getByRole('button', { name: 'Duplicate' }).click();
  await expect(page).toHaveURL(/\/edit/);
  await expect(field(page, 'Name')).toHaveValue(copy);

  await page.goto(`/templates?view=table&q=${copy}`);
  await choose(page, more(), 'Delete');
  await page.getByRole('button', { name: 'Delete template' }).click();
  await expect(page.getByText('No template found')).toBeVisible();

  await page.goto(`/templates/${template.id}`);
  await choose(page, more(), 'Delete');
  await expect(page.getByRole('button', { name: 'Delete template' })).toBeDisabled();
  await page.getByLabel(`Type ${template.name} to delete it`).fill(template.name);
  await page.getByRole('button', { name: 'Delete template' }).click();
  await expect(page).toHaveURL(/\/templates$/);
  await expect(page.getByRole('link', { name: template.name })).toHaveCount(0, { timeout: 30_000 });
});

test('what is approved changes only as a whole, and once a day', async ({ page, team }) => {
  test.slow();
  const template = await decidedTemplate(team, reminder());
  await signIn(page, team.owner, `/templates/${template.id}`);
  await page.getByRole('button', { name: 'Change' }).click();
  await expect(page.getByRole('radio', { name: 'Marketing' })).toBeDisabled();
  await field(page, 'Footer').fill('Lotus Fitness, Jalan Ampang');
  await expect(page.getByText('Kept on this device until you send it to Meta')).toBeVisible();
  await page.reload();
  await expect(page.getByText('We kept what you hadn’t saved.')).toBeVisible();
  await page.getByRole('button', { name: 'Review and submit' }).click();
  await expect(page.getByText('An approved template can be changed once in 24 hours and ten times in 30 days.')).toBeVisible();
  await page.getByRole('button', { name: 'Send the change' }).click();
  await expect(page.getByText(/In review|Approved/).first()).toBeVisible();
  await expect(page.getByText('Approved', { exact: true })).toBeVisible({ timeout: 30_000 });
  await expect(preview(page)).toContainText('Jalan Ampang');

  await page.getByRole('button', { name: 'Change' }).click();
  await field(page, 'Footer').fill('Lotus');
  await page.getByRole('button', { name: 'Review and submit' }).click();
  await page.getByRole('button', { name: 'Send the change' }).click();
  await expect(page.getByText(/Meta allows one change a day and ten a month/)).toBeVisible();
  await page.getByRole('button', { name: 'Back to the editor' }).click();
  await expect(field(page, 'Footer')).toHaveValue('Lotus');
});

test('somebody else’s change is shown beside one’s own', async ({ page, team }) => {
  const template = await makeTemplate(team, reminder());
  await signIn(page, team.owner, `/templates/${template.id}/edit`);
  await expect(field(page, 'Footer')).toHaveValue('Lotus Fitness');
  await callAs(team.owner, 'update_template', {
    p_id: template.id,
    p_fields: { ...reminder(), components: [{ type: 'BODY', text: 'Theirs is shorter.' }] },
    p_expected_updated_at: template.updated_at,
  });
  await field(page, 'Footer').fill('Mine');
  await expect(page.getByText('Somebody else changed this template meanwhile')).toBeVisible();
  await expect(field(page, 'Footer')).toHaveValue('Mine');
  await page.getByRole('button', { name: 'Save mine over it' }).click();
  await saved(page);
  await page.reload();
  await expect(field(page, 'Footer')).toHaveValue('Mine');
});

});

test('an agent answers a closed window with a template, and makes none', async ({ page, team }) => {
  test.slow();
  const template = await decidedTemplate(team, reminder());
  const agent = await joinTeam(team, 'Ravi Menon', 'agent');
  const customer = newCustomer('Aisyah Rahman');
  await customerWrites(team.number, customer, { text: 'Is my class on?', timestamp: Math.floor(Date.now() / 1000) - 30 * 3600 });

  await signIn(page, agent, '/templates');
  await expect(page.getByRole('link', { name: template.name })).toBeVisible();
  await expect(page.getByRole('button', { name: 'New template' })).toHaveCount(0);
  await page.goto('/templates/new');
  await expect(page.getByText('You can look at templates, not change them')).toBeVisible();

  await page.goto('/conversations');
  await openConversation(page, customer);
  await page.getByRole('button', { name: 'Send a template' }).click();
  const dialog = page.getByRole('dialog');
  await dialog.getByRole('searchbox', { name: 'Search templates' }).fill(template.name);
  await dialog.getByRole('button', { name: template.name }).click();
  // The name is known; the day is not.
  await expect(dialog.getByLabel('Body {{first_name}}')).toHaveValue('Aisyah');
  await dialog.getByRole('button', { name: 'Send template' }).click();
  await expect(dialog.getByText('Fill this in.')).toBeVisible();
  await dialog.getByLabel('Body {{day}}').fill('Friday');
  const words = 'Hi Aisyah, your class on Friday is confirmed. See you soon!';
  await expect(dialog.getByText(words)).toBeVisible();
  await expectAccessible(page, 'sending a template');
  await dialog.getByRole('button', { name: 'Send template' }).click();
  await expect(dialog).toHaveCount(0);
  await expect(inbox(page).bubble(words)).toContainText('Lotus Fitness');
  await expect(inbox(page).bubble(words)).toContainText('I can’t come');
  await expect(inbox(page).bubble(words)).toContainText(/Sent|Delivered|Read/);
  const arrived = await templateArrivesAt(team.number, customer, template.name);
  expect(JSON.stringify(arrived)).toContain('Friday');
});
