import { readStored, store } from '@/lib/storage';

export interface Draft {
  text: string;
  mode: 'reply' | 'note';
  replyTo?: string;
}

/** Every key of the inbox starts with it and the person's id, so that signing out can forget them. */
export const localPrefix = (userId: string) => `octopush:inbox:${userId}:`;

const key = (userId: string, conversationId: string) => `${localPrefix(userId)}draft:${conversationId}`;

export function readDraft(userId: string, conversationId: string): Draft {
  const stored = readStored(key(userId, conversationId)) as Partial<Draft> | undefined;
  return {
    text: typeof stored?.text === 'string' ? stored.text : '',
    mode: stored?.mode === 'note' ? 'note' : 'reply',
    replyTo: typeof stored?.replyTo === 'string' ? stored.replyTo : undefined,
  };
}

export function writeDraft(userId: string, conversationId: string, draft: Draft): void {
  const empty = !draft.text && !draft.replyTo && draft.mode === 'reply';
  store(key(userId, conversationId), empty ? undefined : draft);
}
