import { Button, Group, Modal, Text } from '@mantine/core';
import { useBlocker } from '@tanstack/react-router';
import type { SegmentDraft } from './use-segment-draft';

/** Asks before changes are left behind. A reload needs no question: the draft is there again. */
export function LeaveDialog({ form }: { form: SegmentDraft }) {
  const blocker = useBlocker({
    shouldBlockFn: ({ current, next }) =>
      form.isDirty && !form.isFinished() && current.pathname !== next.pathname,
    enableBeforeUnload: false,
    withResolver: true,
  });
  if (blocker.status !== 'blocked') return null;
  return (
    <Modal
      opened
      onClose={blocker.reset}
      title="Leave without saving?"
      closeButtonProps={{ 'aria-label': 'Close' }}
    >
      <Text>Your changes stay on this device. They are here when you come back.</Text>
      <Group justify="flex-end" mt="lg" gap="xs">
        <Button
          variant="subtle"
          color="red"
          mr="auto"
          onClick={() => {
            form.finish();
            blocker.proceed();
          }}
        >
          Discard them
        </Button>
        <Button variant="default" onClick={blocker.proceed}>
          Leave
        </Button>
        <Button data-autofocus onClick={blocker.reset}>
          Keep editing
        </Button>
      </Group>
    </Modal>
  );
}
