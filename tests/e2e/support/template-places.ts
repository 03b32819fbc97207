import { expect } from '@playwright/test';
import type { Place } from './looking';
import { choose } from './menu';
import type { Team } from './people';
import { decidedTemplate, makeTemplate, newTemplateName, reminder } from './templates';

/** What the places below lead to. */
export interface TemplateFurniture {
  approved: string;
  rejected: string;
  flawed: string;
  cards: string;
}

const card = (text: string) => ({
  components: [
    { type: 'HEADER', format: 'IMAGE' },
    { type: 'BODY', text },
    { type: 'BUTTONS', buttons: [{ type: 'QUICK_REPLY', text: 'Tell me more' }, { type: 'URL', text: 'See it', url: 'https://example.com/classes' }] },
  ],
});

/** Templates in every state, with every kind of part, in several scripts. */
export async function furnishTemplates(team: Team): Promise<TemplateFurniture> {
  const approved = await decidedTemplate(team, reminder());
  const rejected = await decidedTemplate(team, { ...reminder(), name: newTemplateName('reject_seasonal_offer_of_the_very_long_name_nobody_reads') }, 'rejected');
  const flawed = await makeTemplate(team, {
    category: 'marketing',
    components: [
      { type: 'HEADER', format: 'DOCUMENT' },
      { type: 'BODY', text: '{{first_name}} مرحبا، *عرض خاص* 🎉\n限时优惠 {{amount}}' },
      { type: 'FOOTER', text: 'Reply STOP to stop' },
      { type: 'BUTTONS', buttons: [{ type: 'URL', text: 'Shop', url: 'https://example.com/{{1}}' }, { type: 'PHONE_NUMBER', text: 'Call us', phone_number: '12' }, { type: 'COPY_CODE', example: 'SAVE20' }] },
    ],
  });
  const cards = await makeTemplate(team, { category: 'marketing', components: [{ type: 'BODY', text: 'Three new classes for you:' }, { type: 'CAROUSEL', cards: [card('Yoga at dawn'), card('Boxing at dusk'), card('Swimming at noon')] }] });
  return { approved: approved.id, rejected: rejected.id, flawed: flawed.id, cards: cards.id };
}

export const templatePlaces = ({ approved, rejected, flawed, cards }: TemplateFurniture): Place[] => [
  { name: 'templates', visit: async (page) => { await page.goto('/templates'); await expect(page.getByRole('list', { name: 'Templates' }).getByRole('link').first()).toBeVisible(); } },
  { name: 'templates-table', visit: async (page) => { await page.goto('/templates?view=table'); await expect(page.getByRole('table').getByRole('link').first()).toBeVisible(); } },
  { name: 'templates-none-found', visit: async (page) => { await page.goto('/templates?q=zzzz'); await expect(page.getByText('No template found')).toBeVisible(); } },
  {
    name: 'template',
    visit: async (page) => {
      await page.goto(`/templates/${approved}`);
      await expect(page.getByRole('figure', { name: 'Preview on a phone' })).toBeVisible();
      await expect(page.getByText('No campaign or flow sends it yet.')).toBeVisible();
    },
  },
  {
    name: 'template-rejected',
    visit: async (page) => {
      await page.goto(`/templates/${rejected}`);
      await expect(page.getByRole('button', { name: 'Submit again' })).toBeVisible();
      await expect(page.getByText('No campaign or flow sends it yet.')).toBeVisible();
    },
  },
  {
    name: 'template-delete',
    visit: async (page) => {
      await page.goto(`/templates/${approved}`);
      await choose(page, page.getByRole('button', { name: /^More for/ }), 'Delete');
      await expect(page.getByRole('button', { name: 'Delete template' })).toBeVisible();
    },
  },
  { name: 'template-new', visit: async (page) => { await page.goto('/templates/new'); await expect(page.getByRole('textbox', { name: 'Body', exact: true })).toBeVisible(); } },
  {
    name: 'template-code',
    visit: async (page) => {
      await page.goto('/templates/new');
      await page.getByRole('radio', { name: 'Authentication' }).click();
      await expect(page.getByLabel('The code expires after (minutes)')).toBeVisible();
    },
  },
  {
    name: 'template-edit',
    visit: async (page) => {
      await page.goto(`/templates/${flawed}/edit`);
      await page.getByRole('button', { name: 'Review and submit' }).click();
      await expect(page.getByText(/Meta would refuse/)).toBeVisible();
    },
  },
  {
    name: 'template-cards',
    visit: async (page) => {
      await page.goto(`/templates/${cards}/edit`);
      await expect(page.getByRole('textbox', { name: 'Text of card 3', exact: true })).toBeVisible();
    },
  },
  {
    name: 'template-review',
    visit: async (page) => {
      await page.goto(`/templates/${rejected}/edit?step=review`);
      await expect(page.getByText('What happens then')).toBeVisible();
      await expect(page.getByRole('button', { name: 'Submit to Meta' })).toBeEnabled();
    },
  },
];
