import { expectAccessible } from '../support/axe';
import { callAs, joinTeam, type Team } from '../support/people';
import { expect, failedRequests, signIn, test } from '../support/test';
import { choose } from '../support/menu';

const digits = () => String(Math.floor(Math.random() * 1e7)).padStart(7, '0');

async function addContact(team: Team, fields: Record<string, unknown>): Promise<string> {
  const contact = await callAs<{ id: string }>(team.owner, 'create_contact', {
    p_org_id: team.orgId,
    p_fields: { phone: `+6012${digits()}`, ...fields },
  });
  return contact.id;
}

interface Segment {
  id: string;
  updated_at: string;
}

const makeSegment = (team: Team, name: string, rules: unknown) =>
  callAs<Segment>(team.owner, 'create_segment', { p_org_id: team.orgId, p_name: name, p_kind: 'dynamic', p_rules: rules });

test('build a nested rule by keyboard, see the count, save, and learn why somebody is in it', async ({ page, team }) => {
  const company = `Sunway ${digits()}`;
  await addContact(team, { full_name: 'Aina Inside', company, email: 'aina@example.com' });
  await addContact(team, { full_name: 'Bala Without Mail', company });
  await addContact(team, { full_name: 'Chong Elsewhere', company: 'Genting', email: 'chong@example.com' });
  await signIn(page, team.owner, '/segments');

  test.slow();
  const panel = page.getByRole('region', { name: 'Who matches' });
  await test.step('the builder, without a mouse', async () => {
    await page.getByRole('button', { name: 'New segment' }).first().focus();
    await page.keyboard.press('Enter');
    await page.getByRole('textbox', { name: 'Name' }).focus();
    await page.keyboard.type('People of Sunway');
    await page.getByRole('button', { name: 'Add rule' }).focus();
    await page.keyboard.press('Enter');
    await expect(page.getByRole('combobox', { name: 'Look at' })).toBeFocused();
    await page.keyboard.type('Company');
    await expect(page.getByRole('option', { name: 'Company' })).toHaveAttribute('data-combobox-selected', 'true');
    await page.keyboard.press('Enter');
    await page.keyboard.press('Tab');
    await expect(page.getByRole('combobox', { name: 'How to compare Company' })).toBeFocused();
    await page.keyboard.press('Tab');
    await page.keyboard.type(company);
    await expect(panel.getByRole('status')).toHaveText('2 contacts');
    await expect(panel.getByText('Bala Without Mail')).toBeVisible();

    await page.getByRole('button', { name: 'Add group' }).focus();
    await page.keyboard.press('Enter');
    const match = page.getByRole('combobox', { name: 'This group matches' });
    await expect(match).toBeFocused();
    await page.keyboard.type('None');
    await expect(match).toHaveValue('none');
    await page.keyboard.press('Tab');
    await page.keyboard.press('Tab');
    await page.keyboard.press('Tab');
    await expect(page.getByRole('combobox', { name: 'Look at' }).nth(1)).toBeFocused();
    await page.keyboard.type('Email');
    await expect(page.getByRole('option', { name: 'Email' })).toHaveAttribute('data-combobox-selected', 'true');
    await page.keyboard.press('Enter');
    await page.keyboard.press('Tab');
    await page.keyboard.type('is empty');
    await expect(panel.getByRole('status')).toHaveText('1 contact');
    await expect(panel.getByText('Bala Without Mail')).toBeHidden();
  });

  await test.step('a reload loses nothing, and undo brings back what was deleted', async () => {
    await page.reload();
    await expect(page.getByText('We kept what you hadn’t saved.')).toBeVisible();
    await expect(panel.getByRole('status')).toHaveText('1 contact');
    await page.getByRole('button', { name: 'Delete this group' }).click();
    await expect(panel.getByRole('status')).toHaveText('2 contacts');
    await page.keyboard.press('Control+z');
    await expect(panel.getByRole('status')).toHaveText('1 contact');
    await expectAccessible(page, 'the builder');
  });

  await test.step('save', async () => {
    await page.getByRole('button', { name: 'Save segment' }).focus();
    await page.keyboard.press('Enter');
    await expect(page.getByRole('heading', { name: 'People of Sunway', level: 2 })).toBeVisible();
    await expect(page.getByRole('row', { name: /Aina Inside/ })).toBeVisible();
    await expect(page.getByRole('row')).toHaveCount(2);
    await expectAccessible(page, 'the segment');
  });

  await test.step('why somebody is in, and why somebody is not', async () => {
    await page.getByRole('button', { name: 'Why is Aina Inside here?' }).click();
    const drawer = page.getByRole('dialog', { name: 'Why?' });
    await expect(drawer.getByRole('heading', { name: /Aina Inside is in “People of Sunway”/ })).toBeVisible();
    await expect(drawer.getByText('aina@example.com')).toBeVisible();
    await expect(page).toHaveURL(/why=/);
    await expectAccessible(page, 'the explanation');
    await page.keyboard.press('Escape');
    await expect(drawer).toBeHidden();

    await page.getByRole('searchbox', { name: 'Find a contact' }).fill('Bala');
    await page.getByRole('button', { name: /Bala Without Mail/ }).click();
    await expect(drawer.getByRole('heading', { name: /Bala Without Mail is not in/ })).toBeVisible();
    await expect(drawer.getByText('The smallest change that brings them in:')).toBeVisible();
    await page.keyboard.press('Escape');
  });

  await test.step('a change elsewhere arrives by itself', async () => {
    await addContact(team, { full_name: 'Dina Later', company, email: 'dina@example.com' });
    await expect(page.getByRole('row', { name: /Dina Later/ })).toBeVisible();
    await expect(page.getByText('2 contacts').first()).toBeVisible();
  });

  await test.step('pinned in by hand, whatever the rules say', async () => {
    await page.getByRole('searchbox', { name: 'Find whom to pin in' }).fill('Chong');
    await page.getByRole('button', { name: /Chong Elsewhere/ }).click();
    await expect(page.getByRole('list', { name: 'Always in' }).getByText('Chong Elsewhere')).toBeVisible();
    await expect(page.getByRole('row', { name: /Chong Elsewhere/ })).toBeVisible();
    await page.getByRole('list', { name: 'Always in' }).getByRole('button').click();
    await expect(page.getByRole('row', { name: /Chong Elsewhere/ })).toBeHidden();
  });
});

test.describe('refusals', () => {
  test.use({ allowed: [failedRequests] });

  test('what is still needed is not deleted, and an overtaken edit loses nothing', async ({ page, team }) => {
    const inner = await makeSegment(team, `Inner ${digits()}`, { all: [{ field: 'email', operator: 'is_not_empty' }] });
    const outerName = `Outer ${digits()}`;
    await makeSegment(team, outerName, { all: [{ field: 'segment', operator: 'is_in', value: inner.id }] });
    await signIn(page, team.owner, `/segments/${inner.id}`);
    await choose(page, page.getByRole('button', { name: /^More for Inner/ }), 'Delete');
    await page.getByRole('button', { name: 'Delete segment' }).click();
    const dialog = page.getByRole('dialog');
    await expect(dialog.getByRole('link', { name: outerName })).toBeVisible();
    await dialog.getByRole('button', { name: 'Close' }).last().click();

    await page.getByRole('button', { name: 'Edit', exact: true }).click();
    await page.getByRole('textbox', { name: 'Description' }).fill('My words');
    await callAs(team.owner, 'update_segment', {
      p_id: inner.id,
      p_name: `Theirs ${inner.id.slice(-6)}`,
      p_rules: { all: [{ field: 'email', operator: 'is_not_empty' }] },
      p_description: 'Their words',
      p_expected_updated_at: inner.updated_at,
    });
    await page.getByRole('button', { name: 'Save changes' }).click();
    await expect(page.getByRole('alert')).toContainText(`Theirs ${inner.id.slice(-6)}`);
    await expect(page.getByRole('textbox', { name: 'Description' })).toHaveValue('My words');
    await page.getByRole('button', { name: 'Save mine over it' }).click();
    await expect(page.getByText('My words')).toBeVisible();
  });

  test('an agent looks and does not change', async ({ page, team }) => {
    const name = `For agents ${digits()}`;
    const segment = await makeSegment(team, name, { all: [] });
    const agent = await joinTeam(team, 'Ravi Looks', 'agent');
    await signIn(page, agent, '/segments');
    await expect(page.getByRole('link', { name })).toBeVisible();
    await expect(page.getByRole('button', { name: 'New segment' })).toHaveCount(0);
    await page.goto(`/segments/${segment.id}`);
    await expect(page.getByRole('heading', { name, level: 2 })).toBeVisible();
    for (const refused of ['Edit', 'Export CSV', 'Use in campaign'])
      await expect(page.getByRole('button', { name: refused, exact: true })).toHaveCount(0);
    await page.goto(`/segments/${segment.id}/edit`);
    await expect(page.getByText('You can look at segments, not change them')).toBeVisible();
  });
});
