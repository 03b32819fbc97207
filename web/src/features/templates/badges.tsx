import { Badge } from '@mantine/core';
import {
  IconBan,
  IconCircleCheck,
  IconCircleX,
  IconClock,
  IconLock,
  IconMoodHappy,
  IconMoodNeutral,
  IconMoodSad,
  IconPencil,
  IconPlayerPause,
  IconReceipt,
  IconSpeakerphone,
} from '@tabler/icons-react';
import { type Category, isPaused, type Status, type Template } from './model';
import { categoryNames, qualityNames, statusNames } from './names';

const statusLooks: Record<Status, { color: string; Icon: typeof IconClock }> = {
  draft: { color: 'gray', Icon: IconPencil },
  pending: { color: 'yellow', Icon: IconClock },
  approved: { color: 'green', Icon: IconCircleCheck },
  rejected: { color: 'red', Icon: IconCircleX },
  disabled: { color: 'dark', Icon: IconBan },
};

export function StatusBadge({ template }: { template: Pick<Template, 'status' | 'meta_status'> }) {
  const { status } = template;
  const paused = isPaused(template);
  const { color, Icon } = paused ? { color: 'yellow', Icon: IconPlayerPause } : statusLooks[status];
  return (
    <Badge
      variant={status === 'disabled' && !paused ? 'default' : 'light'}
      color={color}
      leftSection={<Icon size={12} aria-hidden />}
    >
      {paused ? 'Paused' : statusNames[status]}
    </Badge>
  );
}

const categoryIcons: Record<Category, typeof IconClock> = {
  marketing: IconSpeakerphone,
  utility: IconReceipt,
  authentication: IconLock,
};

export function CategoryBadge({ category }: { category: Category }) {
  const Icon = categoryIcons[category];
  return (
    <Badge variant="default" leftSection={<Icon size={12} aria-hidden />}>
      {categoryNames[category]}
    </Badge>
  );
}

const qualityIcons: Record<string, typeof IconClock> = {
  GREEN: IconMoodHappy,
  YELLOW: IconMoodNeutral,
  RED: IconMoodSad,
};

/** How customers take it, once Meta has an opinion. */
export function QualityBadge({ quality }: { quality: string | null | undefined }) {
  const known = quality ? qualityNames[quality] : undefined;
  const Icon = quality ? qualityIcons[quality] : undefined;
  if (!known || !Icon) return null;
  return (
    <Badge
      variant="light"
      color={known.color}
      leftSection={<Icon size={12} aria-hidden />}
      title={known.hint}
    >
      {known.name}
    </Badge>
  );
}
