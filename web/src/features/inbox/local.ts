import { clearStored } from '@/lib/storage';
import { localPrefix } from './drafts';

/** At a wished sign-out: a shared computer must not keep half-written answers to customers. */
export function forgetInboxOnThisDevice(userId: string): void {
  clearStored(localPrefix(userId));
}
