import { clearStored } from '@/lib/storage';
import { forgetPassedSelection } from './passed-selection';

/** Every key of a draft starts with it and the person's id, so that signing out can forget them. */
export const draftPrefix = (userId: string) => `octopush:segments:${userId}:`;

/** At a wished sign-out: unsaved rules and who was selected are the person's own. */
export function forgetSegmentsOnThisDevice(userId: string): void {
  clearStored(draftPrefix(userId));
  forgetPassedSelection();
}
