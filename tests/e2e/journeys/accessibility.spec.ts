import type { Page } from '@playwright/test';
import { campaignPlaces, furnishCampaigns } from '../support/campaign-places';
import { contactPlaces, furnishContacts } from '../support/contact-places';
import { inbox, openConversation } from '../support/inbox';
import { type Look, look, type Place } from '../support/looking';
import { callAs, joinTeam, newPerson, type Team } from '../support/people';
import { eventually } from '../support/requests';
import { changeCustomer, customerWrites, newCustomer } from '../support/sandbox';
import { furnishTemplates, templatePlaces } from '../support/template-places';
import { expect, signIn, test } from '../support/test';

const looks: Look[] = [
  { name: 'light', colorScheme: 'light', width: 1440, height: 900 },
  // The same markup as in light: only its colours are new.
  { name: 'dark', colorScheme: 'dark', width: 1440, height: 900, rules: ['color-contrast'] },
  { name: '360', colorScheme: 'light', width: 360, height: 740 },
];

const open = newCustomer('Aisyah Rahman');
const late = newCustomer('محمد عبد الله');
const refused = newCustomer('Siti Nurhaliza binti Abdullah al-Farouqi of the Very Long Name');

/** A team with something in every corner of the page. */
async function furnish(team: Team): Promise<Place[]> {
  const now = Math.floor(Date.now() / 1000);
  const { number } = team;
  await customerWrites(number, late, { text: 'شكرا جزيلا، سأكون هناك غدا', timestamp: now - 30 * 3600 });
  await customerWrites(number, refused, { text: 'Can I freeze my membership for a month? 🙏' });
  const first = await customerWrites(number, open, { text: 'Hi, is the 7 pm class still open tomorrow?', timestamp: now - 26 * 3600 });
  for (const message of [
    { type: 'image', image: { caption: 'My old card' } },
    { type: 'audio' },
    { type: 'document', document: { filename: 'medical-certificate-2026.pdf' } },
    { type: 'location', location: { latitude: 3.139, longitude: 101.686, name: 'KLCC Park', address: 'Kuala Lumpur' } },
    { type: 'contacts', contacts: [{ name: { formatted_name: 'Tan Wei Ming' }, phones: [{ phone: '+60 12-345 6789' }] }] },
    { type: 'unsupported', unsupported: { type: 'poll_creation' }, errors: [{ code: 131051, title: 'Message type unknown' }] },
    { type: 'text', text: 'And this answers my first message, see https://example.com/plans?id=12.', context_message_id: first },
    { type: 'reaction', reaction: { message_id: first, emoji: '👍' } },
  ]) {
    await customerWrites(number, open, message);
  }
  await changeCustomer(refused, { behaviour: 'fails', fail_code: 131026 });
  // The webhook is acknowledged before the workers have read it.
  const conversation = await eventually('the conversation to be found', async () => {
    const found = await callAs<{ conversation_id: string }[]>(team.owner, 'search_conversations', { p_org_id: team.orgId, p_query: 'siti nurhaliza' });
    return found[0]?.conversation_id;
  });
  await callAs(team.owner, 'send_message', { p_conversation_id: conversation, p_client_key: crypto.randomUUID(), p_body: 'Of course, for how long?' });
  await callAs(team.owner, 'create_contact', { p_org_id: team.orgId, p_fields: { phone: '012-345 6789', full_name: 'Tan Wei Ming', email: 'wei@example.com', company: 'Sunway' } });
  await joinTeam(team, 'Ravi Menon', 'agent');
  await callAs(team.owner, 'invite_member', { p_org_id: team.orgId, p_email: 'kavitha@example.com', p_role: 'viewer' });
  return [...contactPlaces(await furnishContacts(team)), ...templatePlaces(await furnishTemplates(team)), ...campaignPlaces(await furnishCampaigns(team))];
}

const heading = (page: Page, name: string | RegExp) => expect(page.getByRole('heading', { name }).first()).toBeVisible();

const doors: Place[] = [
  { name: 'sign-in', visit: async (page) => { await page.goto('/sign-in'); await heading(page, 'Welcome back'); } },
  {
    name: 'sign-in-refused',
    visit: async (page) => {
      await page.goto('/sign-in');
      await page.getByRole('button', { name: 'Sign in' }).click();
      await expect(page.getByText('Enter your password.')).toBeVisible();
    },
  },
  {
    name: 'sign-up',
    visit: async (page) => {
      await page.goto('/sign-up');
      await page.getByLabel('Password', { exact: true }).fill('Kestrel-77');
      await expect(page.getByText('Good', { exact: true })).toBeVisible();
    },
  },
  { name: 'check-mail', visit: async (page) => { await page.goto('/check-mail?email=somebody@example.com&kind=signup'); await heading(page, 'Check your mail'); } },
  { name: 'forgot-password', visit: async (page) => { await page.goto('/forgot-password'); await heading(page, 'Forgot your password?'); } },
  { name: 'reset-link-over', visit: async (page) => { await page.goto('/reset-password'); await heading(page, 'Ask for a new link'); } },
  { name: 'verify-failed', visit: async (page) => { await page.goto('/verify#error=access_denied&error_code=otp_expired'); await heading(page, 'That link didn’t work'); } },
  { name: 'invitation', visit: async (page) => { await page.goto('/invitations/abc'); await heading(page, 'You’re invited'); } },
  { name: 'not-found', visit: async (page) => { await page.goto('/no-such-page'); await expect(page.getByText('There is nothing here')).toBeVisible(); } },
];

const rooms: Place[] = [
  { name: 'dashboard', visit: async (page) => { await page.goto('/dashboard'); await expect(page.getByText('Active conversations')).toBeVisible(); } },
  { name: 'inbox', visit: async (page) => { await page.goto('/conversations'); await expect(inbox(page).row(open)).toBeVisible(); } },
  {
    name: 'inbox-chat',
    visit: async (page) => {
      await page.goto('/conversations');
      await openConversation(page, open);
      await expect(inbox(page).bubble('And this answers my first message')).toBeVisible();
      await expect(inbox(page).box).toBeVisible();
    },
  },
  {
    name: 'inbox-closed',
    visit: async (page) => {
      await page.goto('/conversations');
      await openConversation(page, late);
      await page.getByRole('button', { name: 'Why?' }).click();
      await expect(page.getByText(/answer freely/)).toBeVisible();
    },
  },
  {
    name: 'inbox-failed',
    visit: async (page) => {
      await page.goto('/conversations');
      await openConversation(page, refused);
      await expect(inbox(page).bubble('Of course, for how long?')).toContainText('can’t receive it');
    },
  },
  {
    name: 'inbox-note',
    visit: async (page) => {
      await page.goto('/conversations');
      await openConversation(page, open);
      await page.getByRole('radio', { name: 'Internal note' }).check();
      await page.getByRole('textbox', { name: 'Internal note' }).fill('Regular since 2024');
    },
  },
  {
    name: 'inbox-assign',
    visit: async (page) => {
      await page.goto('/conversations');
      await openConversation(page, open);
      await page.getByRole('button', { name: /Assign/ }).first().click();
      await expect(page.getByRole('menuitem', { name: 'Ravi Menon' })).toBeVisible();
    },
  },
  { name: 'inbox-resolved-empty', visit: async (page) => { await page.goto('/conversations?tab=resolved'); await expect(page.getByText('Nothing resolved yet')).toBeVisible(); } },
  { name: 'inbox-nothing-found', visit: async (page) => { await page.goto('/conversations?q=zzzzzz'); await expect(page.getByText('Nothing found')).toBeVisible(); } },
  { name: 'flows', visit: async (page) => { await page.goto('/flows'); await expect(page.getByText('Flows aren’t here yet')).toBeVisible(); } },
  {
    name: 'inbox-templates',
    visit: async (page) => {
      await page.goto('/conversations');
      await openConversation(page, late);
      await page.getByRole('button', { name: 'Send a template' }).click();
      await expect(page.getByRole('list', { name: 'Approved templates' })).toBeVisible();
    },
  },
  {
    name: 'inbox-template-values',
    visit: async (page) => {
      await page.goto('/conversations');
      await openConversation(page, late);
      await page.getByRole('button', { name: 'Send a template' }).click();
      await page.getByRole('list', { name: 'Approved templates' }).getByRole('button').first().click();
      await page.getByRole('button', { name: 'Send template' }).click();
      await expect(page.getByText('Fill this in.').first()).toBeVisible();
    },
  },
  { name: 'settings-organization', visit: async (page) => { await page.goto('/settings/organization'); await expect(page.getByLabel('Name', { exact: true })).toBeVisible(); } },
  { name: 'settings-members', visit: async (page) => { await page.goto('/settings/members'); await expect(page.getByText('kavitha@example.com')).toBeVisible(); } },
  {
    name: 'settings-whatsapp',
    visit: async (page) => {
      await page.goto('/settings/whatsapp');
      await page.getByRole('button', { name: 'Connect another number' }).click();
      await expect(page.getByRole('button', { name: 'Use the sandbox number' })).toBeVisible();
    },
  },
  { name: 'settings-appearance', visit: async (page) => { await page.goto('/settings/appearance'); await expect(page.getByLabel('Dark')).toBeVisible(); } },
  {
    name: 'search',
    visit: async (page) => {
      await page.goto('/dashboard');
      await page.getByRole('button', { name: 'Search' }).click();
      await page.getByRole('textbox', { name: /^Search pages/ }).fill('wei');
      await expect(page.getByRole('button', { name: /Tan Wei Ming/ }).first()).toBeVisible();
    },
  },
  {
    name: 'notifications',
    visit: async (page) => {
      await page.goto('/dashboard');
      await page.getByRole('button', { name: /^Notifications/ }).click();
      await expect(page.getByText(/nobody is assigned yet/).first()).toBeVisible();
    },
  },
  {
    name: 'shortcuts',
    visit: async (page) => {
      await page.goto('/conversations');
      await expect(inbox(page).row(open)).toBeVisible();
      await page.keyboard.press('?');
      await expect(page.getByRole('dialog', { name: 'Keyboard shortcuts' })).toBeVisible();
    },
  },
];

let furnished: Promise<Place[]> | undefined;

for (const each of looks) {
  const { name, colorScheme, width, height } = each;
  test.describe(name, () => {
    test.use({ colorScheme, viewport: { width, height } });

    test(`the pages before signing in (${name})`, async ({ page }) => {
      test.setTimeout(120_000);
      await look(page, doors, each);
      const newcomer = await newPerson('Nadia Newcomer');
      await signIn(page, newcomer);
      await look(page, [{ name: 'onboarding', visit: () => heading(page, 'Set up your workspace') }], each);
    });

    test(`the pages of the product (${name})`, async ({ page, team }) => {
      test.setTimeout(900_000);
      furnished ??= furnish(team);
      const places = await furnished;
      await signIn(page, team.owner);
      await look(page, [...rooms, ...places], each);
      if (width < 768) {
        const menu = async () => {
          await page.goto('/dashboard');
          await page.getByRole('button', { name: 'Open the menu' }).click();
          await expect(page.getByRole('dialog').getByRole('link', { name: 'Templates' })).toBeVisible();
        };
        await look(page, [{ name: 'menu', visit: menu }], each);
      }
    });
  });
}
