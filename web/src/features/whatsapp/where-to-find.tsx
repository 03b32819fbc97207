import { Anchor, Text } from '@mantine/core';

export function WhereToFind() {
  return (
    <Text size="sm" c="dimmed">
      You find them in{' '}
      <Anchor href="https://developers.facebook.com/apps" target="_blank" rel="noreferrer" underline="always">
        Meta’s app dashboard
      </Anchor>{' '}
      under WhatsApp → API setup. Use a system user’s token: it doesn’t expire.
    </Text>
  );
}
