import { clearStored } from '@/lib/storage';

/** Every key of a draft starts with it and the person's id, so that signing out can forget them. */
export const draftPrefix = (userId: string) => `octopush:campaigns:${userId}:`;

/** At a wished sign-out: what was typed and not saved yet is the person's own. */
export const forgetCampaignsOnThisDevice = (userId: string): void => clearStored(draftPrefix(userId));
