import { expect, type Locator, type Page } from '@playwright/test';

/** Opens a menu and takes an item. Menus come after the first paint: a press in the moment one arrives may have to be repeated, as by hand. */
export async function choose(page: Page, button: Locator, item: string | RegExp): Promise<void> {
  const wanted = page.getByRole('menuitem', { name: item });
  await expect(async () => {
    if (!(await wanted.isVisible())) await button.click({ timeout: 5_000 });
    await expect(wanted).toBeVisible({ timeout: 2_000 });
  }).toPass();
  await wanted.click();
}
