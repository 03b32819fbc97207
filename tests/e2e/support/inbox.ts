import type { Locator, Page } from '@playwright/test';
import type { Customer } from './sandbox';

/** The inbox as its users see it: by names and words, not by markup. */
export const inbox = (page: Page) => ({
  list: page.getByRole('region', { name: 'Conversations', exact: true }),
  row: (customer: Customer): Locator =>
    page.getByRole('region', { name: 'Conversations', exact: true }).getByRole('link').filter({ hasText: customer.name }),
  chat: page.getByRole('region', { name: 'Messages', exact: true }),
  bubble: (text: string): Locator => page.getByRole('article').filter({ hasText: text }),
  box: page.getByRole('textbox', { name: 'Message', exact: true }),
  send: page.getByRole('button', { name: 'Send', exact: true }),
});

export async function openConversation(page: Page, customer: Customer): Promise<void> {
  await inbox(page).row(customer).click();
  await page.getByRole('heading', { name: customer.name, level: 2 }).waitFor();
}
