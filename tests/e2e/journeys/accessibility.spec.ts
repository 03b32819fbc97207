import type { Page } from '@playwright/test';
import { expectAccessible } from '../support/axe';
import { inbox, openConversation } from '../support/inbox';
import { callAs, joinTeam, newPerson, type Team } from '../support/people';
import { changeCustomer, customerWrites, newCustomer } from '../support/sandbox';
import { expect, signIn, test } from '../support/test';

const looks = [
  { name: 'light', colorScheme: 'light', width: 1440, height: 900 },
  { name: 'dark', colorScheme: 'dark', width: 1440, height: 900 },
  { name: '360', colorScheme: 'light', width: 360, height: 740 },
  { name: '360-dark', colorScheme: 'dark', width: 360, height: 740 },
] as const;

const open = newCustomer('Aisyah Rahman');
const late = newCustomer('محمد عبد الله');
const refused = newCustomer('Siti Nurhaliza binti Abdullah al-Farouqi of the Very Long Name');

/** A team with something in every corner of the page. */
async function furnish(team: Team): Promise<void> {
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
  const conversations = await callAs<{ conversation_id: string }[]>(team.owner, 'search_conversations', {
    p_org_id: team.orgId,
    p_query: 'siti nurhaliza',
  });
  const conversation = conversations[0]?.conversation_id;
  await callAs(team.owner, 'send_message', { p_conversation_id: conversation, p_client_key: crypto.randomUUID(), p_body: 'Of course, for how long?' });
  await callAs(team.owner, 'create_contact', { p_org_id: team.orgId, p_fields: { phone: '012-345 6789', full_name: 'Tan Wei Ming', email: 'wei@example.com', company: 'Sunway' } });
  await joinTeam(team, 'Ravi Menon', 'agent');
  await callAs(team.owner, 'invite_member', { p_org_id: team.orgId, p_email: 'kavitha@example.com', p_role: 'viewer' });
}

interface Place {
  name: string;
  visit: (page: Page) => Promise<void>;
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
  { name: 'contacts', visit: async (page) => { await page.goto('/contacts'); await expect(page.getByText('Tan Wei Ming')).toBeVisible(); } },
  {
    name: 'contact',
    visit: async (page) => {
      await page.goto('/contacts?q=wei');
      await page.getByRole('button', { name: 'Tan Wei Ming' }).click();
      await expect(page.getByRole('dialog').getByRole('heading', { name: 'Tan Wei Ming' })).toBeVisible();
    },
  },
  { name: 'contact-new', visit: async (page) => { await page.goto('/contacts?add=true'); await expect(page.getByLabel('Phone number')).toBeVisible(); } },
  { name: 'contacts-nobody', visit: async (page) => { await page.goto('/contacts?q=zzzz'); await expect(page.getByText('Nobody found')).toBeVisible(); } },
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
  { name: 'campaigns', visit: async (page) => { await page.goto('/campaigns'); await expect(page.getByText('Campaigns aren’t here yet')).toBeVisible(); } },
  { name: 'flows', visit: async (page) => { await page.goto('/flows'); await expect(page.getByText('Flows aren’t here yet')).toBeVisible(); } },
  { name: 'segments', visit: async (page) => { await page.goto('/segments'); await expect(page.getByText('Segments aren’t here yet')).toBeVisible(); } },
  { name: 'templates', visit: async (page) => { await page.goto('/templates'); await expect(page.getByText('Templates aren’t here yet')).toBeVisible(); } },
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

async function look(page: Page, places: Place[], name: string): Promise<void> {
  for (const place of places) {
    await test.step(place.name, async () => {
      await place.visit(page);
      await expectAccessible(page, `${place.name} (${name})`);
      // Nothing may make the page itself scroll sideways.
      const overflow = await page.evaluate(() => document.documentElement.scrollWidth - window.innerWidth);
      expect(overflow, `${place.name} is wider than the screen`).toBeLessThanOrEqual(0);
      if ((page.viewportSize()?.width ?? 0) < 768) await expectLargeTargets(page, `${place.name} (${name})`);
      await page.screenshot({ path: `test-results/pages/${place.name}.${name}.png` });
    });
  }
}

let furnished: Promise<void> | undefined;

for (const { name, colorScheme, width, height } of looks) {
  test.describe(name, () => {
    test.use({ colorScheme, viewport: { width, height } });

    test(`the pages before signing in (${name})`, async ({ page }) => {
      test.setTimeout(120_000);
      await look(page, doors, name);
      const newcomer = await newPerson('Nadia Newcomer');
      await signIn(page, newcomer);
      await look(page, [{ name: 'onboarding', visit: () => heading(page, 'Set up your workspace') }], name);
    });

    test(`the pages of the product (${name})`, async ({ page, team }) => {
      test.setTimeout(300_000);
      furnished ??= furnish(team);
      await furnished;
      await signIn(page, team.owner);
      await look(page, rooms, name);
      if (width < 768) {
        const menu = async () => {
          await page.goto('/dashboard');
          await page.getByRole('button', { name: 'Open the menu' }).click();
          await expect(page.getByRole('dialog').getByRole('link', { name: 'Templates' })).toBeVisible();
        };
        await look(page, [{ name: 'menu', visit: menu }], name);
      }
    });
  });
}

/** PRD §11: 44 × 44 px on small screens for what is tapped; links within sentences are exempt (WCAG 2.5.8). */
async function expectLargeTargets(page: Page, where: string): Promise<void> {
  const small = await page
    .locator('button:visible, [role=combobox]:visible, [role=menuitem]:visible, nav a:visible, li a:visible, input:not([type=radio]):visible')
    .evaluateAll((elements) =>
      elements.flatMap((element) => {
        // A whole table row, and a field around its own input, answer the tap.
        const target = element.closest('tbody tr, .mantine-PasswordInput-input') ?? element;
        const { width, height } = target.getBoundingClientRect();
        const isSmall = width > 1 && (width < 43.5 || height < 43.5);
        // A field's own mark (clear, show) stands within the field's height.
        const isInsideField = element.closest('[data-position="right"]') !== null;
        return isSmall && !isInsideField ? [`${element.getAttribute('aria-label') ?? element.textContent} ${width}×${height}`] : [];
      }),
    );
  expect.soft(small, `${where}: smaller than 44 px`).toEqual([]);
}
