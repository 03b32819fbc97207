import { expect, it } from 'vitest';
import { type NotificationRow, notificationWords } from './notification-words';

const row = (kind: string, data: unknown): NotificationRow => ({
  id: 'n',
  kind,
  priority: 'normal',
  data,
  read_at: null,
  created_at: '2026-11-23T10:00:00Z',
});

it('names the colleague and the customer and leads to the conversation', () => {
  const words = notificationWords(
    row('conversation.assigned', { conversation_id: 'c1', by: 'u1' }),
    'Aina',
    () => 'Ravi',
  );
  expect(words).toMatchObject({ conversationId: 'c1', detail: 'Ravi gave you the conversation with Aina.' });
});

it('leads to the settings when the number broke', () => {
  expect(notificationWords(row('whatsapp_account.error', {}), undefined, () => undefined).settings).toBe(
    'whatsapp',
  );
});

it('names the campaign and leads to it', () => {
  const words = notificationWords(
    row('campaign.failed', { campaign_id: 'k1', name: 'Diwali' }),
    undefined,
    () => undefined,
  );
  expect(words).toMatchObject({ campaignId: 'k1', detail: expect.stringContaining('“Diwali”') });
});

it('says why Meta refused a template and leads to it', () => {
  const words = notificationWords(
    row('template.rejected', { template_id: 't1', name: 'summer_sale', reason: 'PROMOTIONAL' }),
    undefined,
    () => undefined,
  );
  expect(words).toMatchObject({ templateId: 't1', title: 'Template rejected' });
  expect(words.detail).toContain('“summer_sale”: it promotes something');
});

it('has words for a kind it does not know', () => {
  const words = notificationWords(row('flow.broken_down', null), undefined, () => undefined);
  expect(words.title).toBe('Flow broken down');
});
