import { dayKey } from '@/lib/time';
import type { Message } from './model';
import type { Unsent } from './outbox';

export type Said = { source: 'server'; message: Message } | { source: 'local'; unsent: Unsent };

export type Line =
  | { kind: 'day'; key: string; time: string }
  | { kind: 'unread'; key: string; count: number }
  | { kind: 'system'; key: string; message: Message }
  | { kind: 'bubble'; key: string; said: Said; side: 'in' | 'out' | 'note'; first: boolean; last: boolean };

/** Bubbles of one person closer than this stand together. */
const GROUP_MS = 5 * 60_000;

const time = (said: Said) => (said.source === 'server' ? said.message.occurred_at : said.unsent.createdAt);

function side(said: Said): 'in' | 'out' | 'note' {
  if (said.source === 'local') return said.unsent.kind === 'note' ? 'note' : 'out';
  if (said.message.direction === 'internal') return 'note';
  return said.message.direction === 'inbound' ? 'in' : 'out';
}

const author = (said: Said) => (said.source === 'server' ? (said.message.sent_by ?? '') : 'me');

/** A key that stays the same when the database confirms an optimistic bubble, so that it is not drawn anew. */
const lineKey = (said: Said) =>
  said.source === 'server' ? (said.message.client_key ?? said.message.id) : said.unsent.clientKey;

interface ThreadOptions {
  /** The first unread message when the conversation was opened. */
  unreadFrom?: string;
  unreadCount?: number;
  me: string;
}

/** Messages in order, with the days between them, the unread line and the grouping of neighbours. */
export function buildThread(messages: Message[], unsent: Unsent[], options: ThreadOptions): Line[] {
  const lines: Line[] = [];
  const all: Said[] = [
    ...messages.map((message): Said => ({ source: 'server', message })),
    ...unsent.map((item): Said => ({ source: 'local', unsent: item })),
  ];
  let previous: Extract<Line, { kind: 'bubble' }> | undefined;
  let previousTime = '';
  for (const said of all) {
    const at = time(said);
    if (dayKey(at) !== dayKey(previousTime || 0)) {
      lines.push({ kind: 'day', key: `day-${dayKey(at)}`, time: at });
      previous = undefined;
    }
    if (said.source === 'server' && said.message.id === options.unreadFrom) {
      lines.push({ kind: 'unread', key: 'unread', count: options.unreadCount ?? 0 });
      previous = undefined;
    }
    previousTime = at;
    if (said.source === 'server' && said.message.type === 'system') {
      lines.push({ kind: 'system', key: lineKey(said), message: said.message });
      previous = undefined;
      continue;
    }
    const mine = side(said);
    const near =
      previous !== undefined &&
      previous.side === mine &&
      Date.parse(at) - Date.parse(time(previous.said)) < GROUP_MS &&
      (author(previous.said) === author(said) ||
        [author(previous.said), author(said)].every((a) => a === 'me' || a === options.me));
    if (near && previous) previous.last = false;
    const line = { kind: 'bubble', key: lineKey(said), said, side: mine, first: !near, last: true } as const;
    previous = { ...line };
    lines.push(previous);
  }
  return lines;
}

/** The oldest of the newest `count` inbound messages: where reading stopped. */
export function firstUnread(messages: Message[], count: number): string | undefined {
  if (count <= 0) return undefined;
  const inbound = messages.filter((message) => message.direction === 'inbound');
  return inbound.at(-Math.min(count, inbound.length))?.id;
}
