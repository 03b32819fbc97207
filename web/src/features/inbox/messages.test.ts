import { describe, expect, it } from 'vitest';
import { mergeMessages } from './messages';
import type { Message } from './model';

const message = (id: string, minute: number, body = id) =>
  ({ id, body, occurred_at: `2026-11-23T10:${String(minute).padStart(2, '0')}:00.000000+00:00` }) as Message;

const ids = (pages: ReturnType<typeof mergeMessages>) =>
  pages.map((page) => page.messages.map((each) => each.id).join(''));

describe('mergeMessages', () => {
  const pages = [
    { messages: [message('f', 50), message('e', 40)], hasMore: true },
    { messages: [message('d', 30), message('c', 20)], hasMore: true },
  ];

  it('adds a new message to the newest page', () => {
    expect(ids(mergeMessages(pages, [message('g', 55)]))).toEqual(['gfe', 'dc']);
  });

  it('replaces a changed one in place', () => {
    const merged = mergeMessages(pages, [message('d', 30, 'changed')]);
    expect(ids(merged)).toEqual(['fe', 'dc']);
    expect(merged[1]?.messages[0]?.body).toBe('changed');
  });

  it('moves a retried message, whose time is new', () => {
    expect(ids(mergeMessages(pages, [message('c', 59)]))).toEqual(['cf', 'ed']);
  });

  it('leaves older history to its own page', () => {
    expect(ids(mergeMessages(pages, [message('a', 1)]))).toEqual(['fe', 'dc']);
    const complete = pages.map((page) => ({ ...page, hasMore: false }));
    expect(ids(mergeMessages(complete, [message('a', 1)]))).toEqual(['fed', 'ca']);
  });

  it('orders microseconds that Date cannot tell apart', () => {
    const early = { ...message('z', 50), occurred_at: '2026-11-23T10:50:00.000001+00:00' };
    const late = { ...message('a', 50), occurred_at: '2026-11-23T10:50:00.000900+00:00' };
    expect(ids(mergeMessages([{ messages: [], hasMore: false }], [early, late]))).toEqual(['az']);
  });

  it('starts an empty thread', () => {
    expect(ids(mergeMessages([{ messages: [], hasMore: false }], [message('a', 1)]))).toEqual(['a']);
  });
});
