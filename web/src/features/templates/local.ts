import { clearStored } from '@/lib/storage';

/** Every key of a draft starts with it and the person's id, so that signing out can forget them. */
export const draftPrefix = (userId: string) => `octopush:templates:${userId}:`;

/** At a wished sign-out: what was half written is the person's own. */
export function forgetTemplatesOnThisDevice(userId: string): void {
  clearStored(draftPrefix(userId));
}
