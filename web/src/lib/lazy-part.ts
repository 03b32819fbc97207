import { type ComponentType, type LazyExoticComponent, lazy } from 'react';

const TRIES = 3;
const RELOADED = 'octopush:reloaded-at';
const RELOAD_AGAIN_AFTER_MS = 60_000;

/** Waits for the network, or a moment that grows with each try. */
function pause(attempt: number): Promise<void> {
  return new Promise((resolve) => {
    if (navigator.onLine) setTimeout(resolve, 300 * 2 ** attempt);
    else window.addEventListener('online', () => resolve(), { once: true });
  });
}

/** A part that stays missing is one of a version no longer served: the page is loaded anew, once, with all drafts kept. */
function mayReload(): boolean {
  try {
    const last = Number(sessionStorage.getItem(RELOADED) ?? 0);
    if (Date.now() - last < RELOAD_AGAIN_AFTER_MS) return false;
    sessionStorage.setItem(RELOADED, String(Date.now()));
    return true;
  } catch {
    return false;
  }
}

export async function patiently<T>(
  load: () => Promise<T>,
  reload = () => window.location.reload(),
): Promise<T> {
  for (let attempt = 1; ; attempt += 1) {
    try {
      return await load();
    } catch (error) {
      if (attempt >= TRIES && navigator.onLine) {
        if (!mayReload()) throw error;
        reload();
        return new Promise(() => {});
      }
      await pause(attempt);
    }
  }
}

/** A part of a page that is loaded when needed. A moment without network must not take the page around it down. */
export function lazyPart<Props>(
  load: () => Promise<ComponentType<Props>>,
): LazyExoticComponent<ComponentType<Props>> {
  return lazy(async () => ({ default: await patiently(load) }));
}
