import { expect, type Page, test } from '@playwright/test';
import { expectAccessible } from './axe';

/** A state of a page worth looking at, and how to get there. */
export interface Place {
  name: string;
  visit: (page: Page) => Promise<void>;
}

/** How the pages are shown, and which of axe's rules can say something new about that; all when absent. */
export interface Look {
  name: string;
  colorScheme: 'light' | 'dark';
  width: number;
  height: number;
  rules?: string[];
}

/** Visits each place: nothing serious for axe, nothing sideways, nothing too small for a finger, and a screenshot. */
export async function look(page: Page, places: Place[], { name, width, rules }: Look): Promise<void> {
  for (const place of places) {
    await test.step(place.name, async () => {
      await place.visit(page);
      await expectAccessible(page, `${place.name} (${name})`, rules);
      // Nothing may make the page itself scroll sideways.
      const overflow = await page.evaluate(() => document.documentElement.scrollWidth - window.innerWidth);
      expect.soft(overflow, `${place.name} is wider than the screen`).toBeLessThanOrEqual(0);
      if (width < 768) await expectLargeTargets(page, `${place.name} (${name})`);
      await page.screenshot({ path: `test-results/pages/${place.name}.${name}.png` });
    });
  }
}

/** PRD §11: 44 × 44 px on small screens for what is tapped; links within sentences are exempt (WCAG 2.5.8). */
async function expectLargeTargets(page: Page, where: string): Promise<void> {
  const small = await page
    .locator('button:visible, [role=combobox]:visible, [role=menuitem]:visible, nav a:visible, li a:visible, input:not([type=radio]):visible')
    .evaluateAll((elements) =>
      elements.flatMap((element) => {
        // A whole table row or cell, and a field around its own input, answer the tap.
        const target = element.closest('tbody td:has(input), tbody tr, .mantine-PasswordInput-input, .mantine-MultiSelect-input, .mantine-TagsInput-input') ?? element;
        const { width, height } = target.getBoundingClientRect();
        const isSmall = width > 1 && (width < 43.5 || height < 43.5);
        // A field's own mark (clear, show) stands within the field's height.
        const isInsideField = element.closest('[data-position="right"]') !== null;
        return isSmall && !isInsideField ? [`${element.getAttribute('aria-label') ?? element.textContent} ${width}×${height}`] : [];
      }),
    );
  expect.soft(small, `${where}: smaller than 44 px`).toEqual([]);
}
