import type { Conversation, Message } from '@/features/inbox/model';

export function conversation(more: Partial<Conversation> = {}): Conversation {
  return {
    id: 'conversation-1',
    whatsapp_account_id: 'account-1',
    contact_id: 'contact-1',
    status: 'open',
    folder: 'active',
    assigned_to: null,
    window_expires_at: new Date(Date.now() + 20 * 3_600_000).toISOString(),
    snoozed_until: null,
    unread_count: 0,
    last_message_at: '2026-11-23T10:00:00Z',
    last_message_preview: null,
    last_message_type: 'text',
    last_message_direction: 'inbound',
    last_message_status: null,
    contact_name: 'Aina',
    contact_phone: '+60123456789',
    contact_avatar_url: null,
    account_display_phone_number: null,
    ...more,
  };
}

export function message(more: Partial<Message> = {}): Message {
  return {
    id: 'message-1',
    conversation_id: 'conversation-1',
    direction: 'inbound',
    type: 'text',
    body: 'Hello',
    payload: null,
    wa_message_id: 'wamid.1',
    reply_to_message_id: null,
    reply_to_wa_message_id: null,
    status: 'received',
    is_uncertain: false,
    error_code: null,
    error_message: null,
    client_key: null,
    sent_by: null,
    reactions: {},
    occurred_at: '2026-11-23T10:00:00Z',
    sent_at: null,
    delivered_at: null,
    read_at: null,
    failed_at: null,
    ...more,
  };
}
