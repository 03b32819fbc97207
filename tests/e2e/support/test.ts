import { test as base, expect } from '@playwright/test';
import { newTeam, signIn, type Team } from './people';

interface Each {
  /** One organisation for the tests of a file that need any. */
  team: Team;
  /** Fails the test when the page logged an error, which includes everything its policy (CSP) refused. */
  quiet: undefined;
  /** Errors a test provokes on purpose. */
  allowed: RegExp[];
}

// A worker goes from file to file: what one file's tests leave behind must not meet the next one's.
const teams = new Map<string, Promise<Team>>();

function teamOf(file: string): Promise<Team> {
  const kept = teams.get(file) ?? newTeam('Lotus Fitness');
  teams.set(file, kept);
  return kept;
}

export const test = base.extend<Each>({
  // biome-ignore lint/correctness/noEmptyPattern: the shape Playwright asks for
  team: async ({}, use, { file }) => use(await teamOf(file)),
  allowed: [[], { option: true }],
  quiet: [
    async ({ page, allowed }, use) => {
      const problems: string[] = [];
      page.on('pageerror', (error) => problems.push(`thrown: ${error.message}`));
      page.on('console', (message) => {
        if (message.type() === 'error') problems.push(message.text());
      });
      await use(undefined);
      expect(problems.filter((problem) => !allowed.some((pattern) => pattern.test(problem)))).toEqual([]);
    },
    { auto: true },
  ],
});

/** The failed requests a browser reports on the console by itself. */
export const failedRequests = /Failed to load resource|net::ERR_|WebSocket connection/;

export { expect, signIn };
