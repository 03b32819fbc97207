/** Apart from their shapes, because addresses are read on every page. */
export const statuses = [
  'draft',
  'scheduled',
  'sending',
  'paused',
  'completed',
  'cancelled',
  'failed',
] as const;
export type CampaignStatus = (typeof statuses)[number];

export const recipientStatuses = [
  'waiting',
  'queued',
  'sent',
  'delivered',
  'read',
  'failed',
  'held_out',
  'excluded',
] as const;
export type RecipientStatus = (typeof recipientStatuses)[number];
