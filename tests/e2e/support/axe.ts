import AxeBuilder from '@axe-core/playwright';
import { expect, type Page } from '@playwright/test';

/** Nothing serious or critical of WCAG 2.1 A and AA, and axe's best practices. */
export async function expectAccessible(page: Page, where: string, rules?: string[]): Promise<void> {
  await expect(page.locator('.mantine-Skeleton-root')).toHaveCount(0);
  const axe = new AxeBuilder({ page });
  if (rules) axe.withRules(rules);
  else axe.withTags(['wcag2a', 'wcag2aa', 'wcag21a', 'wcag21aa', 'best-practice']);
  const { violations } = await axe.analyze();
  const grave = violations
    .filter(({ impact }) => impact === 'serious' || impact === 'critical')
    .map(({ id, impact, nodes }) => `${where}: ${id} (${impact}): ${nodes.map((node) => `${node.target.join(' ')} — ${node.failureSummary}`).join('\n')}`);
  // Soft: one run tells everything that is wrong.
  expect.soft(grave).toEqual([]);
}
