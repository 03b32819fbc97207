import { Alert, Button, Group, Stack, Text } from '@mantine/core';
import { IconAlertCircle, IconCloudOff, IconRefresh } from '@tabler/icons-react';
import type { ReactNode } from 'react';
import { describeError } from '@/lib/errors';

/** A failed request, in words. `onRetry` adds the button; leave it out where the form's own button does that. */
export function Problem({ error, onRetry }: { error: unknown; onRetry?: () => void }) {
  if (!error) return null;
  const { code, message } = describeError(error);
  return (
    <Alert color="red" variant="light" icon={<IconAlertCircle aria-hidden />} role="alert" data-code={code}>
      <Stack gap="xs" align="flex-start">
        <Text size="sm">{message}</Text>
        {onRetry && (
          <Button size="xs" variant="default" leftSection={<IconRefresh size={16} />} onClick={onRetry}>
            Try again
          </Button>
        )}
      </Stack>
    </Alert>
  );
}

/** A list or page that could not be loaded, in the place where it would stand. */
export function LoadProblem({ error, onRetry, what }: { error: unknown; onRetry: () => void; what: string }) {
  return (
    <Hint
      role="alert"
      icon={<IconCloudOff size={28} stroke={1.5} />}
      title={`We couldn’t load ${what}`}
      action={
        <Button variant="default" leftSection={<IconRefresh size={16} />} onClick={onRetry}>
          Try again
        </Button>
      }
    >
      {describeError(error).message}
    </Hint>
  );
}

interface HintProps {
  icon: ReactNode;
  title: string;
  children?: ReactNode;
  action?: ReactNode;
  role?: 'alert' | 'status';
}

/** What an empty place says: one idea, one next step. */
export function Hint({ icon, title, children, action, role }: HintProps) {
  return (
    <Stack align="center" gap="xs" py={48} px="md" ta="center" role={role}>
      <Group
        justify="center"
        w={56}
        h={56}
        c="var(--op-brand-text)"
        bg="var(--op-brand-tint)"
        bdrs={16}
        aria-hidden
      >
        {icon}
      </Group>
      <Text fw={600} size="lg" mt={4}>
        {title}
      </Text>
      {children && (
        <Text c="dimmed" maw={380} size="md" component="div">
          {children}
        </Text>
      )}
      {action && <Group mt="xs">{action}</Group>}
    </Stack>
  );
}
