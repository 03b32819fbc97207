import { expect, test } from 'vitest';
import { eachLibrary, visitor } from '../support/clients';
import { knownDifference } from '../support/differences';

eachLibrary((library) => {
  /** What a call answers that runs into a timeout, and after how many seconds. */
  async function cancelled(call: string, args = {}) {
    const start = performance.now();
    const { status, error } = await visitor(library).rpc(call, args);
    expect(status).toBe(500);
    expect(error).toMatchObject({ code: '57014', message: 'canceling statement due to statement timeout' });
    return (performance.now() - start) / 1000;
  }

  test('the statement timeout of the role holds, though the login has another: 500 57014', async () => {
    const seconds = await cancelled('sleep', { seconds: 8 });
    // Three for anon, eight for the login.
    expect(seconds).toBeGreaterThan(2.9);
    expect(seconds).toBeLessThan(7.5);
  });

  knownDifference(
    'the statement timeout of a function holds for its call',
    'postrust-server does not read the settings of functions, so that of the role holds',
    async () => expect(await cancelled('sleep_too_long')).toBeLessThan(2),
  );
});
