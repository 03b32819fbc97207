import { Badge } from '@mantine/core';
import {
  IconAlertTriangle,
  IconBan,
  IconCalendarTime,
  IconCheck,
  IconHourglass,
  IconPencil,
  IconPlayerPause,
  IconSend,
} from '@tabler/icons-react';
import type { Campaign, CampaignStatus } from './model';
import { statusNames } from './words';

const looks: Record<CampaignStatus, { color: string; Icon: typeof IconCheck }> = {
  draft: { color: 'gray', Icon: IconPencil },
  scheduled: { color: 'blue', Icon: IconCalendarTime },
  sending: { color: 'blue', Icon: IconSend },
  paused: { color: 'yellow', Icon: IconPlayerPause },
  completed: { color: 'green', Icon: IconCheck },
  cancelled: { color: 'gray', Icon: IconBan },
  failed: { color: 'red', Icon: IconAlertTriangle },
};

/** Where a campaign is; a sending one that stands still says that instead. */
export function StatusBadge({ campaign }: { campaign: Pick<Campaign, 'status' | 'waiting_for'> }) {
  const { status, waiting_for } = campaign;
  const stands = status === 'sending' && Boolean(waiting_for);
  const { color, Icon } = stands ? { color: 'yellow', Icon: IconHourglass } : looks[status];
  return (
    <Badge variant="light" color={color} leftSection={<Icon size={12} aria-hidden />}>
      {stands ? (waiting_for === 'test' ? 'Testing' : 'Waiting') : statusNames[status]}
    </Badge>
  );
}
