import { Alert, Button, Group, Stack, Text } from '@mantine/core';
import { IconUsers } from '@tabler/icons-react';
import type { Clash } from './edit-contact';

interface ClashNoticeProps {
  clash: Clash;
  onKeepTheirs: () => void;
  onUseMine: () => void;
}

export function wordsOfValue(value: unknown): string {
  if (value === null || value === undefined || value === '') return 'nothing';
  if (typeof value === 'boolean') return value ? 'yes' : 'no';
  if (Array.isArray(value)) return value.join(', ') || 'nothing';
  if (typeof value === 'object')
    return Object.values(value).filter(Boolean).map(String).join(', ') || 'nothing';
  return `“${String(value)}”`;
}

/** Two people changed the same field. Both versions stand side by side, and nothing typed is lost. */
export function ClashNotice({ clash, onKeepTheirs, onUseMine }: ClashNoticeProps) {
  const { label } = clash.edit;
  return (
    <Alert
      color="yellow"
      role="alert"
      icon={<IconUsers aria-hidden />}
      title={`Somebody else changed ${label.toLowerCase()} meanwhile`}
    >
      <Stack gap="xs">
        <Text size="sm" style={{ overflowWrap: 'anywhere' }}>
          Theirs: {wordsOfValue(clash.theirs)}
          <br />
          Yours: {wordsOfValue(clash.edit.value)}
        </Text>
        <Group gap="xs">
          <Button size="xs" variant="default" onClick={onKeepTheirs}>
            Keep theirs
          </Button>
          <Button size="xs" onClick={onUseMine}>
            Use mine
          </Button>
        </Group>
      </Stack>
    </Alert>
  );
}
