import { atLeast } from '@/lib/time';
import type { Group } from './rules';

/** Ticked rows, or everything that matches but the rows unticked since. */
export type Ticked =
  | { kind: 'some'; ids: ReadonlySet<string> }
  | { kind: 'all'; except: ReadonlySet<string> };

export const nothing: Ticked = { kind: 'some', ids: new Set() };

export const isTicked = (ticked: Ticked, id: string): boolean =>
  ticked.kind === 'some' ? ticked.ids.has(id) : !ticked.except.has(id);

function changed(set: ReadonlySet<string>, ids: string[], present: boolean): Set<string> {
  const next = new Set(set);
  for (const id of ids) {
    if (present) next.add(id);
    else next.delete(id);
  }
  return next;
}

export function tick(ticked: Ticked, ids: string[], on: boolean): Ticked {
  return ticked.kind === 'some'
    ? { kind: 'some', ids: changed(ticked.ids, ids, on) }
    : { kind: 'all', except: changed(ticked.except, ids, !on) };
}

/** From the last ticked row to this one, as Shift+click does everywhere. */
export function between(rows: string[], from: string | undefined, to: string): string[] {
  const start = from === undefined ? -1 : rows.indexOf(from);
  const end = rows.indexOf(to);
  if (start < 0 || end < 0) return [to];
  return rows.slice(Math.min(start, end), Math.max(start, end) + 1);
}

export const tickedCount = (ticked: Ticked, total: number): number =>
  ticked.kind === 'some' ? ticked.ids.size : Math.max(0, total - ticked.except.size);

export const contactsWords = (total: number, isMinimum: boolean): string =>
  `${atLeast(total, isMinimum)} ${total === 1 ? 'contact' : 'contacts'}`;

export type Selection =
  | { ids: string[] }
  | { search?: string; rules?: Group; trash?: boolean; except?: string[] };

export interface Matching {
  search?: string;
  rules?: Group;
  trash?: boolean;
}

/** The contract's shape of a set of contacts. */
export function selectionOf(ticked: Ticked, { search, rules, trash }: Matching): Selection {
  if (ticked.kind === 'some') return { ids: [...ticked.ids] };
  return {
    ...(search ? { search } : {}),
    ...(rules ? { rules } : {}),
    ...(trash ? { trash } : {}),
    ...(ticked.except.size > 0 ? { except: [...ticked.except] } : {}),
  };
}
