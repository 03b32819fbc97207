import type { Selection } from './model';

/** What another page hands over to be made a static segment: who, and how many they are for the words. */
export interface PassedSelection {
  selection: Selection;
  count: number;
}

const KEY = 'octopush:segment-selection';

/**
 * For a page that selects contacts: call it, then go to `/segments/new?kind=static&selected=true`. Kept for the tab only, as ids of
 * thousands have no place in an address, and a reload must not lose them.
 */
export function passSelection(passed: PassedSelection): void {
  try {
    sessionStorage.setItem(KEY, JSON.stringify(passed));
  } catch {
    // Without storage the builder asks for rules instead.
  }
}

export function readPassedSelection(): PassedSelection | undefined {
  try {
    const value: unknown = JSON.parse(sessionStorage.getItem(KEY) ?? 'null');
    if (typeof value !== 'object' || value === null) return undefined;
    const { selection, count } = value as Record<string, unknown>;
    if (typeof count !== 'number' || typeof selection !== 'object' || selection === null) return undefined;
    const { ids, rules } = selection as Record<string, unknown>;
    if (ids !== undefined && !Array.isArray(ids)) return undefined;
    if (rules !== undefined && (typeof rules !== 'object' || rules === null)) return undefined;
    return { selection: selection as Selection, count };
  } catch {
    return undefined;
  }
}

export function forgetPassedSelection(): void {
  try {
    sessionStorage.removeItem(KEY);
  } catch {
    // See above.
  }
}
