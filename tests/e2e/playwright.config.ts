import { defineConfig } from '@playwright/test';
import { environment } from './support/environment';

export default defineConfig({
  testDir: './journeys',
  outputDir: './test-results',
  // One at a time: the stack under test shares two cores with the browser.
  workers: 1,
  timeout: 60_000,
  expect: { timeout: 15_000 },
  // A browser beside the whole stack on two cores now and then waits longer than anything allows for. What passes only at its second
  // try is named as flaky at the end of the run, with the trace of its first.
  retries: process.env.CI ? 1 : 0,
  forbidOnly: Boolean(process.env.CI),
  reporter: [['list']],
  use: {
    baseURL: environment.appUrl,
    // Animations would only make colours and places differ from run to run.
    contextOptions: { reducedMotion: 'reduce' },
    viewport: { width: 1440, height: 900 },
    screenshot: 'only-on-failure',
    trace: 'retain-on-failure',
    launchOptions: {
      executablePath: process.env.CHROMIUM_PATH ?? '/usr/bin/chromium',
      // Chromium refuses its sandbox to root, which is who runs the tests in a container.
      args: process.getuid?.() === 0 ? ['--no-sandbox'] : [],
    },
  },
});
