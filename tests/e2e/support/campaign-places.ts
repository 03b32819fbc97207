import { expect, type Page } from '@playwright/test';
import { addRecipient, approvedTemplate, type CampaignRow, figures, listOf, makeCampaign } from './campaigns';
import type { Place } from './looking';
import { callAs, type Team } from './people';
import { changeCustomer, customerWrites } from './sandbox';

/** What the places below lead to. */
export interface CampaignFurniture {
  done: string;
  held: string;
  tested: string;
  scheduled: string;
  draft: string;
  buyer: string;
}

const inZone = (hours: number) =>
  new Intl.DateTimeFormat('en-GB', { timeZone: 'Asia/Kuala_Lumpur', hour: '2-digit', minute: '2-digit', hourCycle: 'h23' }).format(
    new Date(Date.now() + hours * 3_600_000),
  );

/** Campaigns in every state, with people who got them, did not, and wrote back. */
export async function furnishCampaigns(team: Team): Promise<CampaignFurniture> {
  const { owner, orgId, number } = team;
  const person = (name: string, fields: Record<string, unknown> = {}) => addRecipient(team, name, fields);
  const people = [
    await person('Nurul Huda binti Abdullah of the Very Long Family Name'),
    await person('陳大文'),
    await person('فاطمة الزهراء'),
    await person('Rajesh Nair'),
    await person('Broken Phone'),
    await person('Olga Out', { opt_in_status: 'opted_out' }),
    await person('Penny Pending', { opt_in_status: 'pending' }),
  ];
  const broken = people[4];
  const buyer = people[3];
  if (!broken || !buyer) throw new Error('somebody is missing');
  await changeCustomer(broken, { behaviour: 'fails', fail_code: 131026 });
  const list = await listOf(team, 'Members of the first hour', people);
  const template = await approvedTemplate(team, '*Good news*, {{1}}! This week you may bring a friend along for free 🎉', { examples: ['Aina'] });
  const other = await approvedTemplate(team, 'Come with a friend this week, it costs nothing extra at all.');
  await callAs(owner, 'set_campaign_settings', {
    p_org_id: orgId,
    p_fields: {
      marketing_cap: { messages: 20, days: 7 },
      message_prices: { currency: 'MYR', default: { marketing: 0.4, utility: 0.1 }, countries: { MY: { marketing: 0.35, utility: 0.06 } } },
    },
  });
  const variables = { 'body.1': { source: 'contact', field: 'first_name', default: 'friend' } };
  const one = [{ template_id: template.id, variables, links: {}, share: 1 }];
  const two = [...one, { template_id: other.id, variables: {}, links: {}, share: 1 }];
  const make = (name: string, fields: Record<string, unknown> = {}) =>
    makeCampaign(team, { name, description: 'For the anniversary', audience: { segment_id: list.id }, time_zone: 'Asia/Kuala_Lumpur', variants: one, ...fields });
  const launch = (id: string) => callAs(owner, 'launch_campaign', { p_id: id });

  const done = await make('Bring a friend');
  await launch(done.id);
  await figures(team, done.id, ({ stats }) => stats.read === 4 && stats.failed === 1);
  await customerWrites(number, { phone: buyer.phone, name: buyer.name }, { text: 'Count me in' });
  await callAs(owner, 'record_opportunity', { p_contact_id: buyer.id, p_fields: { amount: 120, currency: 'MYR', note: 'Family plan' } });
  const tested = await splitTest(team, (name) =>
    make(name, { variants: two, test: { percent: 60, hours: 6, measure: 'read', choose: 'manual' }, holdout_percent: 10 }),
  );
  await launch(tested.id);
  const held = await make('Good night', { quiet_hours: { from: inZone(-1), to: inZone(2) } });
  await launch(held.id);
  const scheduled = await make('Next week');
  await callAs(owner, 'schedule_campaign', { p_id: scheduled.id, p_at: new Date(Date.now() + 6 * 86_400_000).toISOString() });
  const draft = await make('A campaign whose name goes on for rather longer than anybody would like', {
    variants: two,
    test: { percent: 30, hours: 12, measure: 'reply', choose: 'automatic' },
    holdout_percent: 5,
    quiet_hours: { from: '21:00', to: '09:00' },
  });
  return { done: done.id, held: held.id, tested: tested.id, scheduled: scheduled.id, draft: draft.id, buyer: buyer.id };
}

/** Who is in the test depends on ids alone: of so few, everybody or nobody may be. Then another draft is tried. */
async function splitTest(team: Team, make: (name: string) => Promise<CampaignRow>): Promise<CampaignRow> {
  for (let tries = 0; tries < 30; tries += 1) {
    const draft = await make('Which words work');
    const { messages, recipients } = await callAs<{ messages: unknown[]; recipients: number }>(team.owner, 'rehearse_campaign', { p_id: draft.id });
    if (messages.length > 0 && messages.length < recipients) return draft;
    await callAs(team.owner, 'delete_campaign', { p_id: draft.id });
  }
  throw new Error('no draft splits these people');
}

const step = (at: CampaignFurniture, name: string, ready: (page: Page) => Promise<void>): Place => ({
  name: `campaign-${name}`,
  visit: async (page) => {
    await page.goto(`/campaigns/${at.draft}/edit?step=${name}`);
    await ready(page);
  },
});

const sees = (page: Page, text: string | RegExp) => expect(page.getByText(text).first()).toBeVisible();

export const campaignPlaces = (at: CampaignFurniture): Place[] => [
  { name: 'campaigns', visit: async (page) => { await page.goto('/campaigns'); await expect(page.getByRole('link', { name: 'Bring a friend' })).toBeVisible(); } },
  { name: 'campaigns-none-found', visit: async (page) => { await page.goto('/campaigns?q=zzzz&status=%5B%22failed%22%5D'); await sees(page, 'No campaign found'); } },
  {
    name: 'campaign-new',
    visit: async (page) => {
      await page.goto('/campaigns/new');
      await page.getByRole('button', { name: 'Continue' }).click();
      await sees(page, 'Give the campaign a name.');
    },
  },
  step(at, 'setup', (page) => expect(page.getByRole('textbox', { name: 'Description' })).toHaveValue('For the anniversary')),
  step(at, 'audience', (page) => sees(page, '3 contacts left out')),
  {
    name: 'campaign-exclusions',
    visit: async (page) => {
      await page.goto(`/campaigns/${at.draft}/edit?step=audience`);
      await page.getByRole('button', { name: 'See who and why' }).click();
      await expect(page.getByRole('dialog').getByText('Olga Out')).toBeVisible();
    },
  },
  step(at, 'content', (page) => sees(page, /friend! This week/)),
  {
    name: 'campaign-templates',
    visit: async (page) => {
      await page.goto(`/campaigns/${at.draft}/edit?step=content`);
      await page.getByRole('button', { name: 'Change', exact: true }).click();
      await expect(page.getByRole('list', { name: 'Approved templates' })).toBeVisible();
    },
  },
  {
    name: 'campaign-schedule',
    visit: async (page) => {
      await page.goto(`/campaigns/${at.scheduled}/edit?step=schedule`);
      await expect(page.getByLabel('Date and time')).toBeVisible();
    },
  },
  step(at, 'review', (page) => sees(page, 'will receive it')),
  {
    name: 'campaign-send',
    visit: async (page) => {
      await page.goto(`/campaigns/${at.draft}/edit?step=review`);
      await page.getByRole('button', { name: /^Send to/ }).click();
      await expect(page.getByRole('dialog')).toBeVisible();
    },
  },
  {
    name: 'campaign',
    visit: async (page) => {
      await page.goto(`/campaigns/${at.done}`);
      await expect(page.getByRole('row', { name: /Rajesh Nair/ })).toBeVisible();
      await sees(page, /Good news/);
    },
  },
  {
    name: 'campaign-tested',
    visit: async (page) => {
      await page.goto(`/campaigns/${at.tested}`);
      await expect(page.getByRole('region', { name: 'Variants' })).toBeVisible();
      await sees(page, 'The test is running.');
    },
  },
  { name: 'campaign-held', visit: async (page) => { await page.goto(`/campaigns/${at.held}`); await sees(page, 'Nothing is sent during quiet hours.'); } },
  {
    name: 'campaign-cancel',
    visit: async (page) => {
      await page.goto(`/campaigns/${at.held}`);
      await page.getByRole('button', { name: 'Cancel', exact: true }).click();
      await expect(page.getByRole('dialog')).toBeVisible();
    },
  },
  { name: 'campaign-scheduled', visit: async (page) => { await page.goto(`/campaigns/${at.scheduled}`); await sees(page, 'Nothing is sent yet.'); } },
  { name: 'settings-campaigns', visit: async (page) => { await page.goto('/settings/campaigns'); await expect(page.getByLabel('Marketing, Malaysia')).toBeVisible(); } },
  {
    name: 'contact-opportunities',
    visit: async (page) => {
      await page.goto(`/contacts/${at.buyer}`);
      await page.getByRole('button', { name: 'Record one' }).click();
      await expect(page.getByRole('dialog').getByLabel('Amount')).toBeVisible();
    },
  },
];
