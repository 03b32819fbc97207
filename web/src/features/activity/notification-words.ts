import { campaignNotification } from '@/features/campaigns/notification';
import { templateNotification } from '@/features/templates/notification-words';

export interface NotificationRow {
  id: string;
  kind: string;
  priority: string;
  data: unknown;
  read_at: string | null;
  created_at: string;
}

export interface NotificationWords {
  icon: 'assigned' | 'inbox' | 'window' | 'account' | 'campaign' | 'template' | 'other';
  title: string;
  detail: string;
  /** The conversation it leads to, or a section of the settings. */
  conversationId?: string;
  settings?: 'whatsapp';
  campaignId?: string;
  templateId?: string;
}

const id = (data: unknown, key: string): string | undefined => {
  const value = (data as Record<string, unknown> | null)?.[key];
  return typeof value === 'string' ? value : undefined;
};

export const contactIdOf = (row: NotificationRow) => id(row.data, 'contact_id');

/** Notifications carry ids; the names come from what the reader may see (PRD §17). */
export function notificationWords(
  row: NotificationRow,
  contact: string | undefined,
  colleague: (id: string) => string | undefined,
): NotificationWords {
  const conversationId = id(row.data, 'conversation_id');
  const who = contact ?? 'a customer';
  const by = id(row.data, 'by');
  if (row.kind.startsWith('campaign.')) return campaignNotification(row);
  if (row.kind.startsWith('template.')) return templateNotification(row);
  switch (row.kind) {
    case 'conversation.assigned':
      return {
        icon: 'assigned',
        title: 'Assigned to you',
        detail: `${(by && colleague(by)) ?? 'A colleague'} gave you the conversation with ${who}.`,
        conversationId,
      };
    case 'conversation.unassigned':
      return {
        icon: 'inbox',
        title: 'New conversation',
        detail: `${capital(who)} wrote, and nobody is assigned yet.`,
        conversationId,
      };
    case 'conversation.window_closing':
      return {
        icon: 'window',
        title: 'Window closing soon',
        detail: `Less than an hour is left to answer ${who}.`,
        conversationId,
      };
    case 'whatsapp_account.error':
      return {
        icon: 'account',
        title: 'WhatsApp number disconnected',
        detail: 'Connect it again, so that messages go out.',
        settings: 'whatsapp',
      };
    default:
      return { icon: 'other', title: capital(row.kind.replaceAll(/[._]/g, ' ')), detail: '', conversationId };
  }
}

const capital = (text: string) => text.charAt(0).toUpperCase() + text.slice(1);
