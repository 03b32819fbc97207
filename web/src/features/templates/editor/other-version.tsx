import { Alert, Button, Group, Stack, Text } from '@mantine/core';
import { IconUsers } from '@tabler/icons-react';
import { bodyOf } from '../model';
import type { TemplateDraft } from './use-template-draft';

/** Somebody saved meanwhile: what they made of it, and which of the two shall be. */
export function OtherVersion({ draft }: { draft: TemplateDraft }) {
  const { other } = draft;
  if (!other) return null;
  return (
    <Alert
      color="yellow"
      variant="light"
      role="alert"
      icon={<IconUsers aria-hidden />}
      title="Somebody else changed this template meanwhile"
    >
      <Stack gap="xs">
        <Text size="sm" lineClamp={4}>
          Theirs is called “{other.name}” and reads “{bodyOf(other)}”. What you wrote is still here.
        </Text>
        <Group gap="xs">
          <Button size="xs" variant="default" onClick={draft.takeOther}>
            Go on with theirs
          </Button>
          <Button size="xs" variant="default" onClick={draft.keepMine}>
            Save mine over it
          </Button>
        </Group>
      </Stack>
    </Alert>
  );
}
