import { compareTimes } from '@/lib/time';
import { belongsTo, type Conversation, type Tab } from './model';

export interface Page {
  rows: Conversation[];
  hasMore: boolean;
}

const newestFirst = (a: Conversation, b: Conversation) =>
  compareTimes(b.last_message_at, a.last_message_at) || (a.id < b.id ? 1 : -1);

/**
 * Puts rows that changed into the pages already loaded, as if the pages had been fetched again. A row older than the
 * last one loaded stays out when more pages follow: it comes with its page. The number of pages is kept, because the
 * query fetches exactly those again on a refetch.
 */
export function mergeRows(pages: Page[], changed: Conversation[], tab: Tab, me: string): Page[] {
  const last = pages.at(-1);
  if (!last) return pages;
  const ids = new Set(changed.map((row) => row.id));
  const kept = pages.flatMap((page) => page.rows).filter((row) => !ids.has(row.id));
  const oldest = pages.flatMap((page) => page.rows).at(-1);
  const fitting = changed.filter(
    (row) => belongsTo(tab, row, me) && (!last.hasMore || !oldest || newestFirst(row, oldest) <= 0),
  );
  const rows = [...kept, ...fitting].sort(newestFirst);
  return pages.map((page, index) => {
    const start = pages.slice(0, index).reduce((sum, each) => sum + each.rows.length, 0);
    const end = index === pages.length - 1 ? undefined : start + page.rows.length;
    return { rows: rows.slice(start, end), hasMore: page.hasMore };
  });
}

/**
 * Keeps rows where they are while somebody reads the list: known rows keep their place with fresh content, rows that
 * left disappear, and how many wait above (new or moved up) is counted for the "3 new" pill.
 */
export function holdOrder(shown: string[], rows: Conversation[]): { rows: Conversation[]; waiting: number } {
  const byId = new Map(rows.map((row) => [row.id, row]));
  const known = new Set(shown);
  const held = shown.flatMap((id) => byId.get(id) ?? []);
  const heldPlace = new Map(held.map((row, index) => [row.id, index]));
  const firstKnown = rows.findIndex((row) => known.has(row.id));
  const lastKnown = rows.findLastIndex((row) => known.has(row.id));

  let waiting = 0;
  const after: Conversation[] = [];
  rows.forEach((row, index) => {
    if (!known.has(row.id)) {
      // Older pages arrive below everything known and may simply be appended.
      if (firstKnown === -1 || index > lastKnown) after.push(row);
      else waiting += 1;
    }
  });
  // A known row that now stands above a row it was below has moved up.
  let highest = -1;
  for (let index = rows.length - 1; index >= 0; index -= 1) {
    const place = heldPlace.get(rows[index]?.id ?? '');
    if (place === undefined) continue;
    if (highest !== -1 && place > highest) waiting += 1;
    else highest = place;
  }
  return { rows: [...held, ...after], waiting };
}
