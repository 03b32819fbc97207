import { Badge } from '@mantine/core';
import { IconCircleCheck, IconCircleMinus, IconClock } from '@tabler/icons-react';
import { choices, consentNames, wordFor } from './model';

const looks: Record<string, { color: string; Icon: typeof IconClock }> = {
  opted_in: { color: 'green', Icon: IconCircleCheck },
  pending: { color: 'yellow', Icon: IconClock },
  opted_out: { color: 'red', Icon: IconCircleMinus },
};

export const consentChoices = choices(consentNames);

export function ConsentBadge({ status }: { status: string }) {
  const look = looks[status];
  if (!look) return null;
  return (
    <Badge color={look.color} variant="light" leftSection={<look.Icon size={13} aria-hidden />}>
      {wordFor(consentNames, status)}
    </Badge>
  );
}
