import { defineConfig } from 'vitest/config';
import { DifferencesReporter } from './support/differences-reporter';

export default defineConfig({
  test: {
    include: ['{rest,auth,realtime,storage,recovery}/**/*.test.ts'],
    globalSetup: ['support/shared-stack.ts'],
    // Most of a test's time is spent waiting for the server, so more files than cores run at once.
    maxWorkers: 5,
    // Files share nothing but the stack, so each worker loads the clients once.
    isolate: false,
    testTimeout: 20_000,
    hookTimeout: 60_000,
    teardownTimeout: 20_000,
    reporters: ['default', new DifferencesReporter()],
    // supabase-js says at every start that Node 20 is old; both versions are meant to be tried on it.
    onConsoleLog: (log) => !log.includes('Node.js 20 and below are deprecated'),
  },
});
