import { expect, it } from 'vitest';
import type { TimelineEvent } from './queries';
import { timelineWords } from './timeline-words';

const event = (
  kind: string,
  data: Record<string, unknown> = {},
  actor_name: string | null = null,
): TimelineEvent => ({
  id: '1',
  kind,
  at: '2026-11-23T10:00:00Z',
  actor_id: actor_name && 'u',
  actor_name,
  data,
});
const gone = '01a20701-0000-7000-8000-000000000000';
const tagName = (id: string) => (id === 't1' ? 'VIP' : undefined);

it.each([
  [event('message.received', { type: 'text', preview: 'Hello' }), 'received', 'Wrote', 'Hello'],
  [event('message.received', { type: 'image' }), 'received', 'Sent a photo', undefined],
  [
    event('message.sent', { type: 'text', preview: 'Hi', status: 'failed' }, 'Priya'),
    'sent',
    'Priya wrote · not delivered',
    'Hi',
  ],
  [event('message.sent', { type: 'document', status: 'read' }), 'sent', 'We sent a document', undefined],
  [event('note.added', { preview: 'Call later' }, 'Ravi'), 'note', 'Note by Ravi', 'Call later'],
  [
    event(
      'contact.tags_changed',
      { added: [{ id: 't1', name: 'VIP' }], removed: [{ id: gone, name: null }] },
      'Ravi',
    ),
    'tag',
    'Tagged VIP, took off a deleted tag by Ravi',
    undefined,
  ],
  [event('contact.tags_changed', { added: [], removed: ['t1'] }), 'tag-off', 'Took off VIP', undefined],
  [
    event('consent.changed', { old: 'opted_in', new: 'opted_out', source: 'whatsapp', evidence: 'STOP' }),
    'consent',
    'Opt-in: Opted in → Opted out · Wrote it on WhatsApp',
    'STOP',
  ],
  [
    event('contact.updated', { fields: ['email', 'job_title', 'notes'] }, 'Ravi'),
    'updated',
    'Changed by Ravi: e-mail, job title and notes',
    undefined,
  ],
  [event('contact.created'), 'created', 'Wrote for the first time', undefined],
  [
    event('campaign.received', { campaign_name: 'Diwali', status: 'read', preview: 'Good news' }),
    'campaign',
    'Campaign “Diwali”',
    'Good news',
  ],
  [
    event('campaign.received', { campaign_name: 'Diwali', status: 'failed', preview: 'Good news' }),
    'campaign',
    'Campaign “Diwali” didn’t arrive',
    undefined,
  ],
  [
    event('link.clicked', { campaign_name: 'Diwali', destination: 'https://example.com/a' }),
    'campaign',
    'Followed a link of the campaign “Diwali”',
    'example.com/a',
  ],
  [
    event('opportunity.recorded', { amount: 120, currency: 'MYR' }, 'Ravi'),
    'campaign',
    'Sales opportunity recorded by Ravi',
    'MYR 120',
  ],
  [event('campaign.sent', { name: 'Diwali' }), 'campaign', 'Campaign “Diwali”', undefined],
  [event('loyalty.points_given'), 'other', 'Loyalty points given', undefined],
] as const)('%j', (given, mark, text, quote) =>
  expect(timelineWords(given, tagName)).toEqual({ mark, text, ...(quote === undefined ? {} : { quote }) }),
);
