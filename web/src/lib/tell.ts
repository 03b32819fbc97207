import { notifications } from '@mantine/notifications';
import { wordsFor } from '@/lib/errors';

const closeButtonProps = { 'aria-label': 'Close' };

/** A short word that something is done. */
export const tellDone = (message: string): void => {
  notifications.show({ color: 'green', message, closeButtonProps });
};

/** What went wrong where no form can say it. */
export const tellProblem = (error: unknown): void => {
  notifications.show({ color: 'red', message: wordsFor(error), closeButtonProps });
};
