import { ModalsProvider } from '@mantine/modals';
import type { ReactNode } from 'react';

/** What `modals.openConfirmModal` needs around it; loaded only by pages that ask such questions. */
export default function Dialogs({ children }: { children: ReactNode }) {
  return (
    <ModalsProvider modalProps={{ closeButtonProps: { 'aria-label': 'Close' } }}>{children}</ModalsProvider>
  );
}
