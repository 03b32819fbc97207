import { Skeleton, Stack } from '@mantine/core';
import { IconLock } from '@tabler/icons-react';
import { Hint } from '@/components/problem';
import { TextLink } from '@/components/text-link';

export function WizardSkeleton() {
  return (
    <Stack role="status" aria-label="Loading">
      <Skeleton height={44} />
      <Skeleton height={60} />
      <Skeleton height={240} />
    </Stack>
  );
}

export function NotAllowed() {
  return (
    <Hint
      icon={<IconLock size={28} stroke={1.5} />}
      title="You can look at campaigns, not change them"
      action={<TextLink to="/campaigns">See the campaigns</TextLink>}
    >
      Ask an owner, an admin or a campaign manager to make or change one.
    </Hint>
  );
}
