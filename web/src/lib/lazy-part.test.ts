import { expect, it, vi } from 'vitest';
import { patiently } from './lazy-part';

it('tries again when a part cannot be loaded', async () => {
  vi.useFakeTimers();
  const load = vi.fn().mockRejectedValueOnce(new TypeError('gone')).mockResolvedValue('part');
  const result = patiently(load);
  await vi.runAllTimersAsync();
  await expect(result).resolves.toBe('part');
  expect(load).toHaveBeenCalledTimes(2);
  vi.useRealTimers();
});

it('waits for the network while there is none', async () => {
  vi.spyOn(navigator, 'onLine', 'get').mockReturnValue(false);
  const load = vi.fn().mockRejectedValueOnce(new TypeError('gone')).mockResolvedValue('part');
  const result = patiently(load);
  await vi.waitFor(() => expect(load).toHaveBeenCalledTimes(1));
  window.dispatchEvent(new Event('online'));
  await expect(result).resolves.toBe('part');
});

it('loads the page anew when a part stays missing, but not again and again', async () => {
  vi.useFakeTimers();
  sessionStorage.clear();
  const load = vi.fn().mockRejectedValue(new TypeError('gone'));
  const reload = vi.fn();
  void patiently(load, reload);
  await vi.runAllTimersAsync();
  expect(reload).toHaveBeenCalledTimes(1);
  const failed = expect(patiently(load, reload)).rejects.toThrow('gone');
  await vi.runAllTimersAsync();
  await failed;
  expect(reload).toHaveBeenCalledTimes(1);
  vi.useRealTimers();
});
