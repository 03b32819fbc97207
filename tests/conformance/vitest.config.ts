import { defineConfig } from 'vitest/config';

export default defineConfig({
  test: {
    include: ['{rest,auth,realtime,storage,recovery}/**/*.test.ts'],
    globalSetup: ['support/shared-stack.ts'],
    // Most of a test's time is spent waiting for the server, so more files than cores run at once.
    maxWorkers: 5,
    testTimeout: 20_000,
    hookTimeout: 60_000,
    teardownTimeout: 20_000,
    unstubEnvs: true,
  },
});
