import { Alert, Button, Group, Stack, Text } from '@mantine/core';
import { IconUsers } from '@tabler/icons-react';
import { useQuery } from '@tanstack/react-query';
import { describeError } from '@/lib/errors';
import { everybody, type Segment } from './model';
import { previewQuery, rulesOf } from './queries';

/** The row that came with a refused save (SEGMENT_006). */
export function readOther(error: unknown): Segment | undefined {
  const { segment } = describeError(error).details;
  if (typeof segment !== 'object' || segment === null) return undefined;
  const row = segment as Segment;
  return typeof row.updated_at === 'string' ? { ...row, rules: rulesOf(row) ?? null } : undefined;
}

interface OtherVersionProps {
  orgId: string;
  other: Segment;
  busy: boolean;
  onTake: () => void;
  onKeep: () => void;
}

/** Somebody saved meanwhile: what they made of it, and which of the two shall be. */
export function OtherVersion({ orgId, other, busy, onTake, onKeep }: OtherVersionProps) {
  const theirs = useQuery({
    ...previewQuery(orgId, other.rules ?? everybody),
    enabled: other.kind === 'dynamic',
  });
  return (
    <Alert
      color="yellow"
      variant="light"
      role="alert"
      icon={<IconUsers aria-hidden />}
      title="Somebody else changed this segment meanwhile"
    >
      <Stack gap="xs">
        <Text size="sm">
          Their version is called “{other.name}”{theirs.data?.sentence ? `: ${theirs.data.sentence}.` : '.'}{' '}
          What you made is still here.
        </Text>
        <Group gap="xs">
          <Button size="xs" variant="default" onClick={onTake}>
            Go on with theirs
          </Button>
          <Button size="xs" variant="default" loading={busy} onClick={onKeep}>
            Save mine over it
          </Button>
        </Group>
      </Stack>
    </Alert>
  );
}
