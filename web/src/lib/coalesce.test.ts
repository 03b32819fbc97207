import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { gatherIds, throttle } from './coalesce';

describe('gatherIds', () => {
  it('asks the first at once and what comes meanwhile together, each once', async () => {
    const answers: (() => void)[] = [];
    const ask = vi.fn(() => new Promise<void>((resolve) => answers.push(resolve)));
    const gather = gatherIds(ask);
    gather(['a']);
    expect(ask).toHaveBeenLastCalledWith(['a']);
    gather(['b', 'c']);
    gather(['c', 'd']);
    expect(ask).toHaveBeenCalledTimes(1);
    answers[0]?.();
    await vi.waitFor(() => expect(ask).toHaveBeenLastCalledWith(['b', 'c', 'd']));
  });

  it('splits what is more than one request may name', async () => {
    const ask = vi.fn(async () => {});
    gatherIds(ask, 2)(['a', 'b', 'c']);
    await vi.waitFor(() => expect(ask.mock.calls).toEqual([[['a', 'b']], [['c']]]));
  });

  it('goes on after a failure', async () => {
    const ask = vi.fn().mockRejectedValueOnce(new Error('down')).mockResolvedValue(undefined);
    const gather = gatherIds(ask);
    gather(['a']);
    gather(['b']);
    await vi.waitFor(() => expect(ask).toHaveBeenLastCalledWith(['b']));
  });
});

describe('throttle', () => {
  beforeEach(() => void vi.useFakeTimers());
  afterEach(() => void vi.useRealTimers());

  it('runs first and last, and not in between', () => {
    const run = vi.fn();
    const call = throttle(run, 1_000);
    for (let n = 0; n < 10; n += 1) call();
    expect(run).toHaveBeenCalledTimes(1);
    vi.advanceTimersByTime(1_000);
    expect(run).toHaveBeenCalledTimes(2);
    vi.advanceTimersByTime(5_000);
    expect(run).toHaveBeenCalledTimes(2);
    call();
    expect(run).toHaveBeenCalledTimes(3);
  });
});
