import { clearStored } from '@/lib/storage';

export const NEW_CONTACT_DRAFT = 'octopush:new-contact';

/** What was chosen for an import that has not begun; the job's id follows. */
export const IMPORT_DRAFTS = 'octopush:import:';

/** At a wished sign-out: a half-filled form holds somebody's name and number. */
export function forgetContactsOnThisDevice(): void {
  clearStored(NEW_CONTACT_DRAFT);
  clearStored(IMPORT_DRAFTS);
}
