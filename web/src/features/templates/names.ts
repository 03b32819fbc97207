import type { Category, Status } from './kinds';

export const statusNames: Record<Status, string> = {
  draft: 'Draft',
  pending: 'In review',
  approved: 'Approved',
  rejected: 'Rejected',
  disabled: 'Disabled',
};

export const categoryNames: Record<Category, string> = {
  marketing: 'Marketing',
  utility: 'Utility',
  authentication: 'Authentication',
};

export const categoryHints: Record<Category, string> = {
  marketing: 'Offers, news, invitations, anything meant to sell or to be noticed. Needs an opt-in.',
  utility: 'About something the customer did or asked for: an order, a booking, a bill. Nothing that sells.',
  authentication: 'One-time codes for signing in. Meta sets the words.',
};

export const categoryName = (category: string | null | undefined): string => {
  const known = category?.toLowerCase() as Category | undefined;
  return (known && categoryNames[known]) ?? category ?? '';
};

export const qualityNames: Record<string, { name: string; color: string; hint: string }> = {
  GREEN: { name: 'High quality', color: 'green', hint: 'Few people block or report it.' },
  YELLOW: {
    name: 'Medium quality',
    color: 'yellow',
    hint: 'Some people block or report it. Watch whom you send it to.',
  },
  RED: { name: 'Low quality', color: 'red', hint: 'Many people block or report it. Meta may pause it.' },
  UNKNOWN: {
    name: 'Quality not known yet',
    color: 'gray',
    hint: 'Meta rates it once it has been sent often enough.',
  },
};

export const percent = (share: number | null | undefined): string =>
  share === null || share === undefined
    ? '–'
    : new Intl.NumberFormat(undefined, { style: 'percent', maximumFractionDigits: 1 }).format(share);
