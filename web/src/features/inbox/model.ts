import * as z from 'zod/mini';

const text = z.nullable(z.string());

/** A row of the view `conversation_list`. The generated types of a view know no "not null", so the edge is checked here. */
export const conversationSchema = z.object({
  id: z.string(),
  whatsapp_account_id: z.string(),
  contact_id: z.string(),
  status: z.enum(['open', 'pending', 'resolved', 'expired']),
  folder: z.enum(['active', 'resolved', 'quiet']),
  assigned_to: text,
  window_expires_at: text,
  snoozed_until: text,
  unread_count: z.number(),
  last_message_at: z.string(),
  last_message_preview: text,
  last_message_type: text,
  last_message_direction: text,
  last_message_status: text,
  contact_name: text,
  contact_phone: text,
  contact_avatar_url: text,
  account_display_phone_number: text,
});
export type Conversation = z.infer<typeof conversationSchema>;

export const messageSchema = z.object({
  id: z.string(),
  conversation_id: z.string(),
  direction: z.enum(['inbound', 'outbound', 'internal']),
  /** Left open: a type added by a later version of the database is shown as "not supported", not as an error. */
  type: z.string(),
  body: text,
  payload: z.unknown(),
  wa_message_id: text,
  reply_to_message_id: text,
  reply_to_wa_message_id: text,
  status: z.enum(['pending', 'sent', 'delivered', 'read', 'failed', 'received']),
  is_uncertain: z.boolean(),
  error_code: text,
  error_message: text,
  client_key: text,
  sent_by: text,
  reactions: z.unknown(),
  occurred_at: z.string(),
  sent_at: text,
  delivered_at: text,
  read_at: text,
  failed_at: text,
});
export type Message = z.infer<typeof messageSchema>;

export const CONVERSATION_COLUMNS = Object.keys(conversationSchema.shape).join(', ');
export const MESSAGE_COLUMNS = Object.keys(messageSchema.shape).join(', ');

export const tabs = ['all', 'mine', 'unassigned', 'resolved'] as const;
export type Tab = (typeof tabs)[number];

export const tabNames: Record<Tab, string> = {
  all: 'All',
  mine: 'Mine',
  unassigned: 'Unassigned',
  resolved: 'Resolved',
};

/** The same conditions the list asks the database for, to place a row that a live update brings. */
export function belongsTo(tab: Tab, row: Conversation, me: string): boolean {
  if (tab === 'resolved') return row.folder === 'resolved';
  if (row.folder !== 'active') return false;
  if (tab === 'mine') return row.assigned_to === me;
  if (tab === 'unassigned') return row.assigned_to === null;
  return true;
}

export const displayName = (row: Pick<Conversation, 'contact_name' | 'contact_phone'>): string =>
  row.contact_name || row.contact_phone || 'Unknown contact';
