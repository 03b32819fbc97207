import type { TemplateValues } from '@/features/templates/model';
import { readStored, store } from '@/lib/storage';
import { localPrefix } from './drafts';
import type { Message } from './model';

/**
 * What the person sent and the database has not confirmed. Kept on the device until it has: after a crash or a reload
 * it is sent again under the same key, which the database turns into the same message.
 */
export interface Unsent {
  clientKey: string;
  kind: 'text' | 'note' | 'template';
  body: string;
  replyTo?: string;
  /** Which template with which values; `body` is then how it reads. */
  template?: { id: string; values: TemplateValues };
  createdAt: string;
  state: 'sending' | 'failed';
  errorCode?: string;
}

const key = (userId: string, conversationId: string) => `${localPrefix(userId)}unsent:${conversationId}`;

function isUnsent(value: unknown): value is Unsent {
  const item = value as Partial<Unsent> | null;
  return (
    typeof item?.clientKey === 'string' && typeof item.body === 'string' && typeof item.createdAt === 'string'
  );
}

export function readUnsent(userId: string, conversationId: string): Unsent[] {
  const stored = readStored(key(userId, conversationId));
  return Array.isArray(stored) ? stored.filter(isUnsent) : [];
}

export function writeUnsent(userId: string, conversationId: string, items: Unsent[]): void {
  store(key(userId, conversationId), items.length > 0 ? items : undefined);
}

/** Those the database does not know yet: a confirmed one may arrive by broadcast before its own answer does. */
export function stillUnsent(items: Unsent[], messages: Message[]): Unsent[] {
  const known = new Set(messages.map((message) => message.client_key));
  return items.filter((item) => !known.has(item.clientKey));
}
