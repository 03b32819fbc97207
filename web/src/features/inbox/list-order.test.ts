import { describe, expect, it } from 'vitest';
import { holdOrder, mergeRows, type Page } from './list-order';
import type { Conversation } from './model';

const at = (minute: number) => new Date(Date.UTC(2026, 10, 23, 10, minute)).toISOString();

function row(id: string, minute: number, more: Partial<Conversation> = {}): Conversation {
  return {
    id,
    whatsapp_account_id: 'account',
    contact_id: `contact-${id}`,
    status: 'open',
    folder: 'active',
    assigned_to: null,
    window_expires_at: null,
    snoozed_until: null,
    unread_count: 0,
    last_message_at: at(minute),
    last_message_preview: null,
    last_message_type: 'text',
    last_message_direction: 'inbound',
    last_message_status: null,
    contact_name: id,
    contact_phone: null,
    contact_avatar_url: null,
    account_display_phone_number: null,
    ...more,
  };
}

const ids = (pages: Page[]) => pages.map((page) => page.rows.map((each) => each.id).join(''));

describe('mergeRows', () => {
  const pages: Page[] = [
    { rows: [row('a', 50), row('b', 40)], hasMore: true },
    { rows: [row('c', 30), row('d', 20)], hasMore: true },
  ];

  it('moves a row that got a message to the top and keeps the pages', () => {
    expect(ids(mergeRows(pages, [row('c', 55)], 'all', 'me'))).toEqual(['ca', 'bd']);
  });

  it('adds a new conversation', () => {
    expect(ids(mergeRows(pages, [row('n', 60)], 'all', 'me'))).toEqual(['na', 'bcd']);
  });

  it('takes out what no longer belongs to the tab', () => {
    expect(ids(mergeRows(pages, [row('b', 40, { folder: 'resolved' })], 'all', 'me'))).toEqual(['ac', 'd']);
    expect(ids(mergeRows(pages, [row('b', 40, { assigned_to: 'other' })], 'unassigned', 'me'))).toEqual([
      'ac',
      'd',
    ]);
  });

  it('leaves out a row older than what is loaded, unless everything is loaded', () => {
    expect(ids(mergeRows(pages, [row('z', 5)], 'all', 'me'))).toEqual(['ab', 'cd']);
    const complete = pages.map((page) => ({ ...page, hasMore: false }));
    expect(ids(mergeRows(complete, [row('z', 5)], 'all', 'me'))).toEqual(['ab', 'cdz']);
  });

  it('orders equal times by id, as the database does', () => {
    expect(ids(mergeRows([{ rows: [row('a', 10)], hasMore: false }], [row('b', 10)], 'all', 'me'))).toEqual([
      'ba',
    ]);
  });

  it('fills an empty list', () => {
    expect(ids(mergeRows([{ rows: [], hasMore: false }], [row('a', 1)], 'mine', 'me'))).toEqual(['']);
    expect(
      ids(mergeRows([{ rows: [], hasMore: false }], [row('a', 1, { assigned_to: 'me' })], 'mine', 'me')),
    ).toEqual(['a']);
  });
});

describe('holdOrder', () => {
  const shown = ['a', 'b', 'c'];

  it('holds the order and counts what moved up', () => {
    const result = holdOrder(shown, [row('c', 60), row('a', 50), row('b', 40)]);
    expect(result.rows.map((each) => each.id)).toEqual(['a', 'b', 'c']);
    expect(result.waiting).toBe(1);
  });

  it('counts new rows without showing them', () => {
    const result = holdOrder(shown, [row('n', 70), row('m', 65), row('a', 50), row('b', 40), row('c', 30)]);
    expect(result.rows.map((each) => each.id)).toEqual(['a', 'b', 'c']);
    expect(result.waiting).toBe(2);
  });

  it('shows fresh content in the held place', () => {
    const result = holdOrder(shown, [row('a', 50), row('b', 40, { unread_count: 3 }), row('c', 30)]);
    expect(result.rows[1]?.unread_count).toBe(3);
    expect(result.waiting).toBe(0);
  });

  it('drops rows that left and appends older pages', () => {
    const result = holdOrder(shown, [row('a', 50), row('c', 30), row('d', 20), row('e', 10)]);
    expect(result.rows.map((each) => each.id)).toEqual(['a', 'c', 'd', 'e']);
    expect(result.waiting).toBe(0);
  });
});
