import type { NotificationRow, NotificationWords } from '@/features/activity/notification-words';

/** What happened to a campaign by itself, for those who manage campaigns. Why exactly, its own page says. */
const words: Record<string, { title: string; detail: (name: string) => string }> = {
  'campaign.completed': {
    title: 'Campaign completed',
    detail: (name) => `${name} has reached everybody it could.`,
  },
  'campaign.paused': {
    title: 'Campaign paused by itself',
    detail: (name) => `${name} is paused. See why, and resume it when that is mended.`,
  },
  'campaign.failed': {
    title: 'Campaign couldn’t be sent',
    detail: (name) => `${name} didn’t start. See what is missing.`,
  },
  'campaign.test_ended': {
    title: 'The test is over',
    detail: (name) => `Choose which variant of ${name} the rest gets.`,
  },
};

export function campaignNotification(row: NotificationRow): NotificationWords {
  const data = (row.data ?? {}) as Record<string, unknown>;
  const known = words[row.kind];
  const name = typeof data.name === 'string' && data.name ? `“${data.name}”` : 'A campaign';
  const plain = row.kind.replaceAll(/[._]/g, ' ');
  return {
    icon: 'campaign',
    title: known?.title ?? plain.charAt(0).toUpperCase() + plain.slice(1),
    detail: known?.detail(name) ?? name,
    campaignId: typeof data.campaign_id === 'string' ? data.campaign_id : undefined,
  };
}
