import { setTimeout as pause } from 'node:timers/promises';

/** How often a condition is looked at. */
const INTERVAL_MS = 20;

/**
 * Waits until `probe` gives a value other than undefined, null or false. Errors of the probe count as "not yet", and the
 * last one is part of the message when the time is up.
 */
export async function until<T>(
  what: string,
  probe: () => Promise<T> | T,
  deadlineMs = 10_000,
): Promise<NonNullable<Exclude<T, false>>> {
  const end = performance.now() + deadlineMs;
  let failure: unknown;
  for (;;) {
    try {
      const value = await probe();
      if (value !== undefined && value !== null && value !== false) {
        return value as NonNullable<Exclude<T, false>>;
      }
      failure = undefined;
    } catch (error) {
      failure = error;
    }
    if (performance.now() > end) {
      throw new Error(`not within ${deadlineMs} ms: ${what}`, { cause: failure });
    }
    await pause(INTERVAL_MS);
  }
}
