import { type ComponentType, type LazyExoticComponent, lazy } from 'react';

const TRIES = 4;

/** Waits for the network, or a moment that grows with each try. */
function pause(attempt: number): Promise<void> {
  return new Promise((resolve) => {
    if (navigator.onLine) setTimeout(resolve, 500 * 2 ** attempt);
    else window.addEventListener('online', () => resolve(), { once: true });
  });
}

export async function patiently<T>(load: () => Promise<T>): Promise<T> {
  for (let attempt = 1; ; attempt += 1) {
    try {
      return await load();
    } catch (error) {
      if (attempt >= TRIES && navigator.onLine) throw error;
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
