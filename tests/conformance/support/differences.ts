import { test } from 'vitest';

/**
 * A test of what the real service does and the embedded stack is known not to. It is skipped and listed at the end of
 * every run; `CONFORMANCE_DIFFERENCES=run` runs it, to see whether the difference is still there.
 */
export function knownDifference(title: string, reason: string, body: () => Promise<void>): void {
  test(title, async (context) => {
    context.skip(process.env.CONFORMANCE_DIFFERENCES !== 'run', reason);
    await body();
  });
}
