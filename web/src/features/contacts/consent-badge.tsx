import { Badge } from '@mantine/core';
import { IconCircleCheck, IconCircleMinus, IconClock } from '@tabler/icons-react';

const states: Record<string, { color: string; word: string; Icon: typeof IconClock }> = {
  opted_in: { color: 'green', word: 'Opted in', Icon: IconCircleCheck },
  pending: { color: 'yellow', word: 'Pending', Icon: IconClock },
  opted_out: { color: 'red', word: 'Opted out', Icon: IconCircleMinus },
};

export const consentChoices = Object.entries(states).map(([value, { word }]) => ({ value, label: word }));

export function ConsentBadge({ status }: { status: string }) {
  const state = states[status];
  if (!state) return null;
  return (
    <Badge color={state.color} variant="light" leftSection={<state.Icon size={13} aria-hidden />}>
      {state.word}
    </Badge>
  );
}
