import { Button, Center } from '@mantine/core';
import { IconCompass } from '@tabler/icons-react';
import { type ErrorComponentProps, useRouter } from '@tanstack/react-router';
import { Hint, LoadProblem } from '@/components/problem';

export function PageProblem({ error }: ErrorComponentProps) {
  const router = useRouter();
  return (
    <Center mih="60vh">
      <LoadProblem error={error} what="this page" onRetry={() => void router.invalidate()} />
    </Center>
  );
}

export function NotFound() {
  return (
    <Center component="main" mih="60vh">
      <Hint
        icon={<IconCompass size={28} stroke={1.5} />}
        title="There is nothing here"
        action={
          <Button component="a" href="/">
            Go to the dashboard
          </Button>
        }
      >
        The address may be mistyped, or the page has moved.
      </Hint>
    </Center>
  );
}
