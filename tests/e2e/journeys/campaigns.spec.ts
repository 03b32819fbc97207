import { readFileSync } from 'node:fs';
import type { Page } from '@playwright/test';
import { expectAccessible } from '../support/axe';
import { addRecipient, approvedTemplate, figures, listOf, makeCampaign, storedPicture, timesShown, tokenAt } from '../support/campaigns';
import { environment } from '../support/environment';
import { choose } from '../support/menu';
import { callAs, joinTeam, type Team } from '../support/people';
import { changeCustomer, customerWrites } from '../support/sandbox';
import { expect, failedRequests, signIn, test } from '../support/test';

const names = (() => {
  let count = 0;
  return (name: string) => `${name} ${Date.now().toString(36)}${++count}`;
})();

const next = (page: Page) => page.getByRole('button', { name: 'Continue' }).click();
const panel = (page: Page) => page.getByRole('complementary', { name: 'Size of the audience' });
const figure = (page: Page, label: string) =>
  page.locator('dl[aria-label="Figures"] > div').filter({ has: page.locator('dt', { hasText: new RegExp(`^${label}$`) }) });

/** `HH:MM` in the organisation's zone, so many hours from now. */
function clockIn(hours: number): string {
  const at = new Date(Date.now() + hours * 3_600_000);
  return new Intl.DateTimeFormat('en-GB', { timeZone: 'Asia/Kuala_Lumpur', hour: '2-digit', minute: '2-digit', hourCycle: 'h23' }).format(at);
}

/** A campaign ready to go to a list of contacts. */
async function readyCampaign(team: Team, name: string, contacts: { id: string }[], fields: Record<string, unknown> = {}) {
  const template = await approvedTemplate(team, `Our new opening hours start on Monday. ${name} says hello to everybody.`);
  const list = await listOf(team, names('List'), contacts);
  return makeCampaign(team, {
    name,
    audience: { segment_id: list.id },
    time_zone: 'Asia/Kuala_Lumpur',
    variants: [{ template_id: template.id, variables: {}, links: {}, share: 1 }],
    ...fields,
  });
}

test('from an idea to its figures: five steps, the rehearsal, one message each, and a reply', async ({ page, team }) => {
  test.slow();
  const aina = await addRecipient(team, 'Aina Rahman');
  const bala = await addRecipient(team, 'Bala Subramaniam');
  const said = await addRecipient(team, 'Cheng Saidno', { opt_in_status: 'opted_out' });
  const listName = names('Regulars');
  await listOf(team, listName, [aina, bala, said]);
  const template = await approvedTemplate(team, 'Good news, {{1}}! This week you may bring a friend along for free.', {
    examples: ['Aina'],
  });
  await signIn(page, team.owner, '/campaigns');
  const name = names('Bring a friend');

  await test.step('setup', async () => {
    await page.getByRole('button', { name: 'New campaign' }).first().click();
    await next(page);
    await expect(page.getByText('Give the campaign a name.')).toBeVisible();
    await page.getByRole('textbox', { name: 'Name' }).fill(name);
    await next(page);
  });

  await test.step('audience: how many, and who is left out and why', async () => {
    await expect(page.getByRole('heading', { name: 'Audience' })).toBeVisible();
    await page.getByRole('combobox', { name: 'Segment' }).click();
    await page.getByRole('option', { name: new RegExp(listName) }).click();
    await expect(panel(page).getByRole('heading', { name: '2 contacts' })).toBeVisible();
    await panel(page).getByRole('button', { name: 'See who and why' }).click();
    const drawer = page.getByRole('dialog', { name: 'Left out' });
    await expect(drawer.getByText('Cheng Saidno')).toBeVisible();
    await expect(drawer.getByText('Said no to marketing.')).toBeVisible();
    await expectAccessible(page, 'who is left out');
    await page.keyboard.press('Escape');
    await next(page);
  });

  await test.step('content: a field of the contact with what stands in for it, shown on real people', async () => {
    await page.getByRole('searchbox', { name: 'Search templates' }).fill(template.name);
    await page.getByRole('button', { name: `Use ${template.name}` }).click();
    await next(page);
    await expect(page.getByText('Write what people get who have none.')).toBeVisible();
    await page.getByRole('textbox', { name: /^If .* is empty$/ }).fill('friend');
    const preview = page.getByRole('complementary', { name: 'Preview' });
    await expect(preview.getByText('Good news, friend!')).toBeVisible();
    await preview.getByText('Real contacts').click();
    await expect(preview.getByText(/Good news, (Aina|Bala)!/)).toBeVisible();
    await expectAccessible(page, 'the content of a campaign');
    await next(page);
  });

  await test.step('schedule, and a reload loses nothing', async () => {
    await expect(page.getByRole('radio', { name: 'Send now' })).toBeChecked();
    await page.getByRole('radio', { name: 'Rather write twice than miss somebody' }).check();
    await page.reload();
    await expect(page.getByRole('radio', { name: 'Rather write twice than miss somebody' })).toBeChecked();
    await next(page);
  });

  await test.step('review and send', async () => {
    await expect(page.getByRole('heading', { name: '2 contacts will receive it' })).toBeVisible();
    const messages = page.getByRole('complementary', { name: 'Messages as they will be sent' });
    await expect(messages.getByText(/Good news, (Aina|Bala)!/)).toBeVisible();
    await messages.getByRole('button', { name: 'Next person' }).click();
    await expect(messages.getByText('2 of 2')).toBeVisible();
    await expectAccessible(page, 'the review of a campaign');
    await page.getByRole('button', { name: 'Send to 2 contacts' }).click();
    await page.getByRole('button', { name: 'Send 2 now' }).click();
  });

  await test.step('figures come by themselves', async () => {
    await expect(page.getByRole('heading', { name, level: 2 })).toBeVisible();
    await expect(figure(page, 'Sent')).toContainText('2');
    await expect(figure(page, 'Read')).toContainText('2');
    await expect(figure(page, 'Read')).toContainText('100%');
    await expect(page.getByText('Completed')).toBeVisible();
    for (const person of [aina, bala])
      expect(await timesShown(team, person, `Good news, ${person.name.split(' ')[0]}! This week you may bring a friend along for free.`)).toBe(1);
    await customerWrites(team.number, aina, { text: 'Great, we are two!' });
    await expect(figure(page, 'Replied')).toContainText('1');
    await expectAccessible(page, 'the figures of a campaign');
  });

  await test.step('one by one: search, filter, why somebody got nothing', async () => {
    await page.getByRole('searchbox', { name: 'Search recipients' }).fill('Bala');
    await expect(page.getByRole('row', { name: /Bala Subramaniam/ })).toBeVisible();
    await expect(page.getByRole('row', { name: /Aina Rahman/ })).toBeHidden();
    await page.getByRole('button', { name: 'Clear the search' }).click();
    await page.getByRole('combobox', { name: 'Status of recipients' }).selectOption('excluded');
    await expect(page.getByRole('row', { name: /Cheng Saidno/ })).toContainText('Said no to marketing.');
    await expect(page).toHaveURL(/status=/);
  });

  await test.step('as a file, and as the beginning of another campaign', async () => {
    await page.getByRole('button', { name: 'Export CSV' }).click();
    const file = page.waitForEvent('download');
    await page.getByRole('button', { name: 'Download' }).click();
    const lines = readFileSync(await (await file).path(), 'utf8').trim().split('\n');
    expect(lines).toHaveLength(4);
    expect(lines.join('\n')).toContain('Aina Rahman');
    await choose(page, page.getByRole('button', { name: `More for ${name}` }), 'Duplicate');
    await expect(page.getByRole('textbox', { name: 'Name' })).toHaveValue(`${name} (copy)`);
  });
});

test('from anywhere to a template, and from there to a campaign that sends it', async ({ page, team }) => {
  const template = await approvedTemplate(team, 'The pool opens again on Monday, see you there.');
  await signIn(page, team.owner, '/dashboard');
  await page.getByRole('button', { name: /^Search/ }).first().click();
  await page.getByRole('textbox', { name: /^Search pages/ }).fill(template.name);
  await expect(page.getByRole('dialog').getByText('Approved · English')).toBeVisible();
  await page.keyboard.press('Enter');
  await page.getByRole('button', { name: 'Use in campaign' }).click();
  // The name is the first thing to write.
  await expect(page.getByRole('textbox', { name: 'Name' })).toBeFocused();
  const name = names('Pool');
  await page.keyboard.type(name);
  await page.keyboard.press('Enter');
  await expect(page.getByRole('heading', { name: 'Audience' })).toBeVisible();
  await page.goto(`${page.url().split('?')[0]}?step=content`);
  await expect(page.getByText(template.name)).toBeVisible();
  await expect(page.getByRole('complementary', { name: 'Preview' }).getByText('The pool opens again on Monday')).toBeVisible();

  await page.keyboard.press('Control+k');
  await page.getByRole('textbox', { name: /^Search pages/ }).fill(name);
  await page.getByRole('dialog').getByText('Draft', { exact: true }).click();
  await expect(page.getByRole('heading', { name, level: 2 })).toBeVisible();
});

test('a segment made on the way becomes the audience', async ({ page, team }) => {
  const company = names('Sunway');
  await addRecipient(team, 'Dina Sunway', { company });
  const draft = await makeCampaign(team, { name: names('On the way') });
  await signIn(page, team.owner, `/campaigns/${draft.id}/edit?step=audience`);
  await page.getByRole('button', { name: 'Make a new segment' }).click();
  const segment = names('People of Sunway');
  await page.getByRole('textbox', { name: 'Name' }).fill(segment);
  await page.getByRole('button', { name: 'Add rule' }).click();
  await page.keyboard.type('Company');
  await page.keyboard.press('Enter');
  await page.getByRole('textbox', { name: /Company/ }).fill(company);
  await page.getByRole('button', { name: 'Save segment' }).click();
  await expect(page.getByRole('heading', { name: 'Audience' })).toBeVisible();
  await expect(page.getByRole('combobox', { name: 'Segment' })).toHaveValue(new RegExp(segment));
  await expect(panel(page).getByRole('heading', { name: '1 contact' })).toBeVisible();

  await test.step('or people one by one', async () => {
    const eva = await addRecipient(team, names('Eva Chosen'));
    await page.getByRole('radio', { name: 'People I choose one by one' }).check();
    await page.getByRole('searchbox', { name: 'Find a contact to add' }).fill(eva.name);
    await page.getByRole('button', { name: new RegExp(eva.name) }).click();
    await expect(page.getByRole('list', { name: 'Chosen people' }).getByText(eva.name)).toBeVisible();
    await expect(page.getByText(/^Saved/)).toBeVisible();
    await page.reload();
    await expect(page.getByRole('list', { name: 'Chosen people' }).getByText(eva.name)).toBeVisible();
  });
});

test('scheduled for later in another zone, taken off, and deleted', async ({ page, team }) => {
  const fay = await addRecipient(team, 'Fay Later');
  const name = names('Tomorrow');
  const draft = await readyCampaign(team, name, [fay]);
  await signIn(page, team.owner, `/campaigns/${draft.id}/edit?step=schedule`);
  await page.getByRole('radio', { name: 'Schedule for later' }).check();
  const tomorrow = new Date(Date.now() + 36 * 3_600_000).toISOString().slice(0, 10);
  await page.getByLabel('Date and time').fill(`${tomorrow}T09:00`);
  await page.getByRole('combobox', { name: 'Time zone' }).fill('Tokyo');
  await page.getByRole('option', { name: 'Asia/Tokyo' }).click();
  await expect(page.getByLabel('Date and time')).toHaveValue(`${tomorrow}T09:00`);
  await expect(page.getByText('(GMT+9)')).toBeVisible();
  await next(page);
  await page.getByRole('button', { name: 'Schedule for 1 contact' }).click();
  await page.getByRole('dialog').getByRole('button', { name: 'Schedule', exact: true }).click();
  await expect(page.getByText('Nothing is sent yet.')).toBeVisible();
  await expectAccessible(page, 'a scheduled campaign');
  await page.getByRole('button', { name: 'Take off the schedule' }).click();
  await page.getByRole('button', { name: 'Make it a draft' }).click();
  await expect(page.getByText('This is a draft.')).toBeVisible();

  await page.goto('/campaigns');
  await page.getByRole('searchbox', { name: 'Search campaigns' }).fill(name);
  await expect(page.getByText('1 campaign', { exact: true })).toBeVisible();
  await choose(page, page.getByRole('button', { name: `More for ${name}` }), 'Delete');
  await page.getByRole('button', { name: 'Delete draft' }).click();
  await expect(page.getByText('No campaign found')).toBeVisible();
});

test('quiet hours hold it, pausing and going on show at once, cancelling asks', async ({ page, team }) => {
  const gita = await addRecipient(team, 'Gita Asleep');
  const name = names('Night');
  const draft = await readyCampaign(team, name, [gita], { quiet_hours: { from: clockIn(-1), to: clockIn(2) } });
  await callAs(team.owner, 'launch_campaign', { p_id: draft.id });
  await signIn(page, team.owner, `/campaigns/${draft.id}`);
  await expect(page.getByText('Nothing is sent during quiet hours.')).toBeVisible();
  await page.getByRole('button', { name: 'Pause' }).click();
  await expect(page.getByRole('button', { name: 'Resume' })).toBeVisible();
  await expect(page.getByText(/^Paused\./)).toBeVisible();
  await page.getByRole('button', { name: 'Resume' }).click();
  await expect(page.getByText('Nothing is sent during quiet hours.')).toBeVisible();
  await page.getByRole('button', { name: 'Cancel', exact: true }).click();
  await expect(page.getByText(/hasn’t received it yet, and won’t/)).toBeVisible();
  await page.getByRole('button', { name: 'Cancel campaign' }).click();
  await expect(page.getByText('Cancelled', { exact: true })).toBeVisible();
  await expect(page.getByRole('button', { name: 'Pause' })).toHaveCount(0);
});

test('what failed is said in words and can be tried again', async ({ page, team }) => {
  const hana = await addRecipient(team, 'Hana Broken');
  const gone = await addRecipient(team, 'Gone Nowhere');
  await changeCustomer(hana, { behaviour: 'fails', fail_code: 131000 });
  await changeCustomer(gone, { behaviour: 'fails', fail_code: 131026 });
  const draft = await readyCampaign(team, names('Trouble'), [hana, gone]);
  await callAs(team.owner, 'launch_campaign', { p_id: draft.id });
  await figures(team, draft.id, ({ stats }) => stats.failed === 2);
  await signIn(page, team.owner, `/campaigns/${draft.id}`);
  await expect(figure(page, 'Failed')).toContainText('2');
  await expect(page.getByRole('region', { name: 'What didn’t arrive' })).toContainText('Something went wrong at WhatsApp.');
  await changeCustomer(hana, { behaviour: 'normal' });
  await page.getByRole('button', { name: 'Retry failed' }).click();
  // Who is not on WhatsApp is not tried again.
  await expect(page.getByRole('dialog', { name: 'Try 1 failed message again?' })).toBeVisible();
  await page.getByRole('dialog').getByRole('button', { name: 'Try again' }).click();
  await expect(figure(page, 'Delivered')).toContainText('1');
  await expect(figure(page, 'Failed')).toContainText('1');
  await expect(page.getByRole('button', { name: 'Retry failed' })).toHaveCount(0);
});

test('two variants tested on a part, compared, and one chosen for the rest', async ({ page, team }) => {
  test.slow();
  const contacts = [];
  for (let index = 0; index < 16; index += 1) contacts.push(await addRecipient(team, `Ivy ${index}`));
  const list = await listOf(team, names('Ivys'), contacts);
  const [one, two] = [
    await approvedTemplate(team, 'The first words of this test are waiting for you in our shop.'),
    await approvedTemplate(team, 'Other words for the same thing are waiting for you in our shop.'),
  ];
  const draft = await makeCampaign(team, {
    name: names('Which words'),
    audience: { segment_id: list.id },
    variants: [{ template_id: one.id, variables: {}, links: {}, share: 1 }],
  });
  await signIn(page, team.owner, `/campaigns/${draft.id}/edit?step=content`);
  await page.getByRole('button', { name: 'Compare with another variant' }).click();
  await page.getByRole('searchbox', { name: 'Search templates' }).fill(two.name);
  await page.getByRole('button', { name: `Use ${two.name}` }).click();
  await expect(page.getByRole('tab', { name: 'Variant 2 · 50 %' })).toBeVisible();
  await page.getByRole('switch', { name: /Test on a part first/ }).check();
  await page.getByRole('radio', { name: 'Wait until somebody chooses' }).check();
  await page.getByLabel('Test with').fill('50');
  await expectAccessible(page, 'a test of variants');
  await expect(page.getByText(/^Saved/)).toBeVisible();
  await page.goto(`/campaigns/${draft.id}/edit?step=review`);
  await page.getByRole('button', { name: /^Send to 16 contacts/ }).click();
  await page.getByRole('button', { name: 'Send 16 now' }).click();
  const variants = page.getByRole('region', { name: 'Variants' });
  await expect(variants).toBeVisible();
  await expect(page.getByText('The test is running.')).toBeVisible();
  await expectAccessible(page, 'a campaign under test');
  await variants.getByRole('button', { name: 'Send Variant 2 to the rest' }).click();
  await page.getByRole('dialog').getByRole('button', { name: 'Send Variant 2' }).click();
  await expect(variants.getByText('Winner')).toBeVisible();
  await expect(figure(page, 'Sent')).toContainText('16');
});

test('a link of the campaign’s own leads there and counts the person', async ({ page, team }) => {
  const kim = await addRecipient(team, 'Kim Clicker');
  const origin = new URL(environment.appUrl).origin.replace('http:', 'https:');
  const template = await approvedTemplate(team, 'The spring timetable is out, and it has more yoga than ever.', {
    components: [{ type: 'BUTTONS', buttons: [{ type: 'URL', text: 'See it', url: `${origin}/t/{{1}}`, example: [`${origin}/t/abc`] }] }],
    links: { 0: 'https://example.com/timetable' },
  });
  const list = await listOf(team, names('Clickers'), [kim]);
  const draft = await makeCampaign(team, {
    name: names('Spring'),
    audience: { segment_id: list.id },
    variants: [{ template_id: template.id, variables: {}, links: {}, share: 1 }],
  });
  await signIn(page, team.owner, `/campaigns/${draft.id}/edit?step=content`);
  const link = page.getByRole('textbox', { name: 'Where “See it” leads' });
  await expect(link).toHaveValue('https://example.com/timetable');
  await link.fill('example.com/spring');
  await expect(page.getByText('Write a whole link, such as https://example.com/offer')).toBeVisible();
  await link.fill('https://example.com/spring');
  await expect(page.getByText(/^Saved/)).toBeVisible();
  await page.getByRole('link', { name: /Review/ }).click();
  await page.getByRole('button', { name: 'Send to 1 contact' }).click();
  await page.getByRole('button', { name: 'Send 1 now' }).click();
  await figures(team, draft.id, ({ stats }) => stats.delivered === 1);
  const answer = await fetch(`${environment.workerUrl}/t/${await tokenAt(team, kim)}`, {
    redirect: 'manual',
    headers: { 'user-agent': 'Mozilla/5.0 (iPhone; CPU iPhone OS 19_0 like Mac OS X) AppleWebKit/605.1.15 Mobile/15E148 Safari/604.1' },
  });
  expect(answer.headers.get('location')).toBe('https://example.com/spring');
  await expect(figure(page, 'Clicked')).toContainText('1');
  await expect(page.getByRole('region', { name: 'Links' })).toContainText('example.com/spring');
});

test('the picture a template was approved with is sent, unless another is given', async ({ page, team }) => {
  const lim = await addRecipient(team, 'Lim Looker');
  const media = await storedPicture(team, 'timetable.png');
  const template = await approvedTemplate(team, 'Our timetable for the spring is here, with a class for everybody.', {
    components: [{ type: 'HEADER', format: 'IMAGE', media }],
  });
  const list = await listOf(team, names('Lookers'), [lim]);
  const draft = await makeCampaign(team, { name: names('Picture'), audience: { segment_id: list.id } });
  await signIn(page, team.owner, `/campaigns/${draft.id}/edit?step=content`);
  await page.getByRole('searchbox', { name: 'Search templates' }).fill(template.name);
  await page.getByRole('button', { name: `Use ${template.name}` }).click();
  await expect(page.getByText('Sends timetable.png')).toBeVisible();
  await expect(page.getByRole('complementary', { name: 'Preview' }).locator('img')).toBeVisible();
  const link = page.getByRole('textbox', { name: /^Link of/ });
  await link.fill('http://example.com/a.png');
  await expect(page.getByText('The link must begin with https://')).toBeVisible();
  await link.fill('https://example.com/a.png');
  await expect(page.getByText('Sends timetable.png')).toBeHidden();
  await expectAccessible(page, 'a campaign with a picture');
  await expect(page.getByText(/^Saved/)).toBeVisible();
  await next(page);
  await next(page);
  await page.getByRole('button', { name: 'Send to 1 contact' }).click();
  await page.getByRole('button', { name: 'Send 1 now' }).click();
  await expect(figure(page, 'Delivered')).toContainText('1');
});

test('limits, prices and the secret of the website; an opportunity counts for its campaign', async ({ page, team }) => {
  const jo = await addRecipient(team, 'Jo Buyer');
  const name = names('Earns');
  const draft = await readyCampaign(team, name, [jo]);
  await callAs(team.owner, 'launch_campaign', { p_id: draft.id });
  await figures(team, draft.id, ({ stats }) => stats.delivered === 1);
  await signIn(page, team.owner, '/settings/campaigns');
  await page.getByRole('switch', { name: /Estimate what campaigns cost/ }).check();
  await page.getByLabel('Marketing, Everywhere else').fill('0.35');
  await page.getByRole('button', { name: 'Save changes' }).click();
  await expect(page.getByText('Saved.')).toBeVisible();
  await page.getByRole('button', { name: 'How to sign a call' }).click();
  await expect(page.getByText(`/conversions/${team.orgId}`)).toBeVisible();
  await expectAccessible(page, 'how to sign a call');
  await page.getByRole('button', { name: 'Make a new secret' }).click();
  await page.getByRole('dialog').getByRole('button', { name: 'Make a new secret' }).click();
  await expect(page.getByLabel('Secret', { exact: true })).toHaveValue(/^[0-9a-f]{64}$/);
  await expectAccessible(page, 'the new secret');
  await page.keyboard.press('Escape');

  await page.goto(`/contacts/${jo.id}`);
  await page.getByRole('button', { name: 'Record one' }).click();
  await page.getByLabel('Amount').fill('120');
  await page.getByRole('dialog').getByRole('button', { name: 'Record', exact: true }).click();
  const card = page.getByRole('region', { name: 'Sales opportunities' });
  await expect(card).toContainText('120.00');
  await card.getByRole('link', { name }).click();
  await expect(figure(page, 'Sales opportunities')).toContainText('1');
});

test.describe('refusals', () => {
  test.use({ allowed: [failedRequests] });

  test('a draft that somebody else changes loses nothing', async ({ page, team }) => {
    const draft = await makeCampaign(team, { name: names('Shared draft') });
    await signIn(page, team.owner, `/campaigns/${draft.id}/edit`);
    const box = page.getByRole('textbox', { name: 'Description' });
    await expect(box).toBeVisible();
    await callAs(team.owner, 'update_campaign', {
      p_id: draft.id,
      p_fields: { description: 'Their words' },
      p_expected_updated_at: draft.updated_at,
    });
    await test.step('the wizard says so and keeps what was typed', async () => {
      await box.fill('My words');
      await expect(page.getByText('Somebody else changed this campaign meanwhile')).toBeVisible();
      await expect(box).toHaveValue('My words');
    });
    await page.getByRole('button', { name: 'Save mine over it' }).click();
    await expect(page.getByText(/^Saved/)).toBeVisible();
    await page.reload();
    await expect(box).toHaveValue('My words');
  });

  test('an agent looks and does not change', async ({ page, team }) => {
    const name = names('For agents');
    const draft = await makeCampaign(team, { name });
    const agent = await joinTeam(team, 'Ravi Looks', 'agent');
    await signIn(page, agent, '/campaigns');
    await expect(page.getByRole('link', { name })).toBeVisible();
    await expect(page.getByRole('button', { name: 'New campaign' })).toHaveCount(0);
    await page.goto(`/campaigns/${draft.id}`);
    await expect(page.getByText('This is a draft.')).toBeVisible();
    for (const refused of ['Edit', 'Go on with it']) await expect(page.getByRole('button', { name: refused, exact: true })).toHaveCount(0);
    await page.goto(`/campaigns/${draft.id}/edit`);
    await expect(page.getByText('You can look at campaigns, not change them')).toBeVisible();
  });
});
