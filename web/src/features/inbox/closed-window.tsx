import { Button, Group, Stack, Text } from '@mantine/core';
import { IconTemplate } from '@tabler/icons-react';
import { useState } from 'react';
import type { Conversation } from './model';

interface ClosedWindowProps {
  conversation: Conversation;
  blocked?: string;
  draft: string;
  onTemplate: () => void;
}

/** What stands where the text box was when nothing free-form may go to the customer. */
export function ClosedWindow({ conversation, blocked, draft, onTemplate }: ClosedWindowProps) {
  const [why, setWhy] = useState(false);
  if (blocked) return <Text role="status">{blocked}</Text>;
  const wrote = conversation.window_expires_at !== null;
  return (
    <Stack gap={6} role="status">
      <Group justify="space-between" gap="sm">
        <Text fw={600}>
          {wrote
            ? '24-hour window expired. Send a template to re-engage.'
            : 'Send a template to start this conversation.'}
        </Text>
        <Group gap="xs">
          <Button variant="subtle" color="gray" size="xs" aria-expanded={why} onClick={() => setWhy(!why)}>
            Why?
          </Button>
          <Button size="sm" leftSection={<IconTemplate size={18} />} onClick={onTemplate}>
            Send a template
          </Button>
        </Group>
      </Group>
      {why && (
        <Text size="sm">
          WhatsApp lets a business answer freely for 24 hours after a customer’s last message. After that only
          a template that Meta has approved may be sent, until the customer replies. The window opens again
          with the answer.
        </Text>
      )}
      {draft.trim() && (
        <Text size="sm" c="dimmed">
          Your unsent text is kept: “{draft.trim().slice(0, 120)}”
        </Text>
      )}
    </Stack>
  );
}
