import { describe, expect, it } from 'vitest';
import type { Message } from './model';
import { stillUnsent, type Unsent } from './outbox';
import { buildThread, firstUnread } from './thread';

function message(id: string, time: string, more: Partial<Message> = {}): Message {
  return {
    id,
    conversation_id: 'c',
    direction: 'inbound',
    type: 'text',
    body: id,
    payload: null,
    wa_message_id: null,
    reply_to_message_id: null,
    reply_to_wa_message_id: null,
    status: 'received',
    is_uncertain: false,
    error_code: null,
    error_message: null,
    client_key: null,
    sent_by: null,
    reactions: {},
    occurred_at: new Date(`2026-11-23T${time}:00`).toISOString(),
    sent_at: null,
    delivered_at: null,
    read_at: null,
    failed_at: null,
    ...more,
  };
}
const unsent = (clientKey: string, time: string, more: Partial<Unsent> = {}): Unsent => ({
  clientKey,
  kind: 'text',
  body: clientKey,
  createdAt: new Date(`2026-11-23T${time}:00`).toISOString(),
  state: 'sending',
  ...more,
});

const sketch = (lines: ReturnType<typeof buildThread>) =>
  lines.map((line) =>
    line.kind === 'bubble'
      ? `${line.side}:${line.key}${line.first ? '^' : ''}${line.last ? '$' : ''}`
      : line.kind,
  );

describe('buildThread', () => {
  it('groups neighbours of one side and splits on time and side', () => {
    const lines = buildThread(
      [
        message('a', '10:00'),
        message('b', '10:02'),
        message('c', '10:20'),
        message('d', '10:21', { direction: 'outbound', sent_by: 'me', status: 'sent' }),
      ],
      [unsent('e', '10:22')],
      { me: 'me' },
    );
    expect(sketch(lines)).toEqual(['day', 'in:a^', 'in:b$', 'in:c^$', 'out:d^', 'out:e$']);
  });

  it('separates colleagues and notes', () => {
    const out = { direction: 'outbound', status: 'sent' } as const;
    const lines = buildThread(
      [
        message('a', '10:00', { ...out, sent_by: 'me' }),
        message('b', '10:01', { ...out, sent_by: 'other' }),
        message('n', '10:02', { direction: 'internal', type: 'note', sent_by: 'other' }),
      ],
      [],
      { me: 'me' },
    );
    expect(sketch(lines)).toEqual(['day', 'out:a^$', 'out:b^$', 'note:n^$']);
  });

  it('puts a day line between days and the unread line before the first unread message', () => {
    const yesterday = message('y', '10:00', { occurred_at: new Date('2026-11-22T23:00:00').toISOString() });
    const lines = buildThread([yesterday, message('a', '10:00'), message('b', '10:01')], [], {
      me: 'me',
      unreadFrom: 'b',
      unreadCount: 1,
    });
    expect(sketch(lines)).toEqual(['day', 'in:y^$', 'day', 'in:a^$', 'unread', 'in:b^$']);
  });

  it('centres system lines', () => {
    const lines = buildThread([message('s', '10:00', { direction: 'internal', type: 'system' })], [], {
      me: 'me',
    });
    expect(sketch(lines)).toEqual(['day', 'system']);
  });

  it('keeps the key of a bubble when the database confirms it', () => {
    const before = buildThread([], [unsent('k', '10:00')], { me: 'me' });
    const confirmed = message('m', '10:00', {
      direction: 'outbound',
      status: 'pending',
      client_key: 'k',
      sent_by: 'me',
    });
    const after = buildThread([confirmed], stillUnsent([unsent('k', '10:00')], [confirmed]), { me: 'me' });
    expect(after.map((line) => line.key)).toEqual(before.map((line) => line.key));
  });
});

describe('firstUnread', () => {
  const thread = [
    message('a', '10:00'),
    message('b', '10:01', { direction: 'outbound', status: 'read' }),
    message('c', '10:02'),
    message('d', '10:03'),
  ];
  it.each([
    [0, undefined],
    [1, 'd'],
    [2, 'c'],
    [9, 'a'],
  ])('with %i unread it is %s', (count, id) => expect(firstUnread(thread, count)).toBe(id));
});
