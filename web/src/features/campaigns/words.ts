import { failureWords } from '@/features/inbox/failures';
import { catalogue } from '@/lib/error-catalogue';
import { clockTime, count, longDate, plural } from '@/lib/time';
import type {
  Audience,
  Campaign,
  CampaignProblem,
  CampaignStatus,
  Conflict,
  Cost,
  Detail,
  RecipientStatus,
} from './model';
import { isIdsAudience, isSegmentAudience } from './model';

export const statusNames: Record<CampaignStatus, string> = {
  draft: 'Draft',
  scheduled: 'Scheduled',
  sending: 'Sending',
  paused: 'Paused',
  completed: 'Completed',
  cancelled: 'Cancelled',
  failed: 'Failed',
};

export const recipientNames: Record<RecipientStatus, string> = {
  waiting: 'Waiting',
  queued: 'Queued',
  sent: 'Sent',
  delivered: 'Delivered',
  read: 'Read',
  failed: 'Failed',
  held_out: 'Held out',
  excluded: 'Left out',
};

/** Why somebody gets nothing: as a noun for counts, and as a sentence for one person. */
const reasons: Record<string, { short: string; sentence: string }> = {
  opted_out: { short: 'opted out', sentence: 'Said no to marketing.' },
  not_opted_in: { short: 'not opted in', sentence: 'Hasn’t agreed to marketing yet.' },
  no_phone: { short: 'no phone number', sentence: 'Has no phone number.' },
  not_on_whatsapp: { short: 'not on WhatsApp', sentence: 'This number can’t be reached on WhatsApp.' },
  stopped_marketing: {
    short: 'stopped marketing in WhatsApp',
    sentence: 'Turned marketing from you off in WhatsApp.',
  },
  erased: { short: 'erased', sentence: 'Asked to be forgotten.' },
  frequency_cap: {
    short: 'had enough marketing lately',
    sentence: 'Got as many marketing messages lately as your limit allows.',
  },
  missing_value: { short: 'a value is missing', sentence: 'A value of the template is missing for them.' },
};

export const reasonShort = (reason: string): string => reasons[reason]?.short ?? reason.replaceAll('_', ' ');
export const reasonSentence = (reason: string): string =>
  reasons[reason]?.sentence ?? `${capital(reason.replaceAll('_', ' '))}.`;

/** "62 left out: 40 opted out, 22 no phone number". */
export function exclusionWords(excluded: Record<string, number>): string {
  const parts = Object.entries(excluded).filter(([, people]) => people > 0);
  const total = parts.reduce((sum, [, people]) => sum + people, 0);
  if (total === 0) return 'Nobody is left out';
  const list = parts
    .sort((a, b) => b[1] - a[1])
    .map(([reason, people]) => `${count(people)} ${reasonShort(reason)}`);
  return `${count(total)} left out: ${list.join(', ')}`;
}

export const excludedTotal = (excluded: unknown): number => {
  if (typeof excluded === 'number') return excluded;
  if (typeof excluded !== 'object' || excluded === null) return 0;
  return Object.values(excluded).reduce((sum: number, each) => sum + (Number(each) || 0), 0);
};

export function audienceWords(
  audience: Audience | null | undefined,
  name: string | null | undefined,
): string {
  if (!audience) return 'Not chosen yet';
  if (isSegmentAudience(audience)) return name ?? 'A segment';
  if (isIdsAudience(audience)) return name ?? `${plural(audience.ids.length, 'chosen contact')}`;
  return name ?? 'Chosen contacts';
}

const until = (at: string | null | undefined): string => (at ? ` It goes on at ${whenWords(at)}.` : '');

/** Today's times need no date. By clocks of the zone; of this device without one. */
export function whenWords(at: string, now = Date.now(), zone?: string): string {
  const isToday = longDate(at, zone) === longDate(now, zone);
  return isToday ? clockTime(at, zone) : `${clockTime(at, zone)} on ${longDate(at, zone)}`;
}

/** Why a campaign that is sending stands still, and when it goes on. */
export function waitingWords(campaign: Pick<Campaign, 'waiting_for' | 'resumes_at'>): string | undefined {
  const { waiting_for: why, resumes_at: at } = campaign;
  switch (why) {
    case null:
    case undefined:
      return undefined;
    case 'tier':
      return `Your messaging limit of 24 hours is used up. The rest waits for room.${until(at)}`;
    case 'quiet_hours':
      return `Nothing is sent during quiet hours.${until(at)}`;
    case 'quality':
      return 'WhatsApp rates the quality of your number as low, so nothing more is sent until that is better.';
    case 'account':
      return 'The WhatsApp number isn’t connected. Connect it in Settings and the campaign goes on.';
    case 'test':
      return at
        ? `The test is running. The rest is sent after ${whenWords(at)}.`
        : 'The test is over. Choose the version that the rest gets.';
    default:
      return `The campaign is waiting.${until(at)}`;
  }
}

const pauseReasons: Record<string, string> = {
  '131048': 'WhatsApp stopped it because too many messages were reported as spam.',
  WA_007: 'WhatsApp rates the quality of your number as low.',
  WA_002: 'The template is no longer approved.',
  WA_006: 'The WhatsApp number was disconnected.',
};

/** Why the system itself paused or ended a campaign; people need no reason for what they did. */
export function statusReasonWords(reason: string | null | undefined): string | undefined {
  if (!reason) return undefined;
  const known = pauseReasons[reason];
  if (known) return known;
  const words = catalogue[reason];
  if (words) return typeof words === 'function' ? words({}) : words;
  if (/^\d+$/.test(reason)) return failureWords(reason);
  return undefined;
}

/** How many of those that failed another attempt may help; none where the campaign's state allows no attempt. */
export function retryable({ campaign, failures }: Pick<Detail, 'campaign' | 'failures'>): number {
  if (!['sending', 'paused', 'completed'].includes(campaign.status)) return 0;
  return failures
    .filter(({ may_be_retried }) => may_be_retried)
    .reduce((people, failure) => people + failure.count, 0);
}

export function costWords(cost: Cost): string | undefined {
  if (!cost) return undefined;
  try {
    return new Intl.NumberFormat(undefined, { style: 'currency', currency: cost.currency }).format(
      cost.amount,
    );
  } catch {
    return `${cost.currency} ${cost.amount.toFixed(2)}`;
  }
}

const name = (value: unknown): string =>
  typeof value === 'string' && value ? `“${value}”` : 'Another campaign';
const amount = (value: unknown): number | undefined => (typeof value === 'number' ? value : undefined);

/** What a rehearsal found in the way. */
export function conflictWords(conflict: Conflict): string {
  const people = amount(conflict.recipients) ?? amount(conflict.contacts) ?? amount(conflict.count);
  const some = people === undefined ? 'Some people' : plural(people, 'person', 'people');
  switch (conflict.kind) {
    case 'campaign':
      return `${name(conflict.name)} writes to ${people === undefined ? 'some' : count(people)} of the same people around that time.`;
    case 'frequency_cap':
      return `${some} had as many marketing messages lately as your limit allows, and are left out.`;
    case 'tier':
      return `More people than your messaging limit allows in 24 hours. The rest waits until there is room, ${
        people === undefined ? 'by itself' : `${plural(people, 'message')} later`
      }.`;
    case 'quiet_hours':
      return 'It doesn’t fit before your quiet hours. What is left goes on when they end.';
    default:
      return typeof conflict.message === 'string'
        ? conflict.message
        : capital(conflict.kind.replaceAll('_', ' '));
  }
}

/** A problem of a draft, in words: the database's own sentence, else the catalogue's. */
export function problemWords(problem: CampaignProblem): string {
  if (problem.message) return problem.message;
  const words = catalogue[problem.code];
  return words ? (typeof words === 'function' ? words({}) : words) : 'Something is missing.';
}

export const percent = (part: number, whole: number): string =>
  whole > 0
    ? new Intl.NumberFormat(undefined, { style: 'percent', maximumFractionDigits: 1 }).format(part / whole)
    : '–';

export const variantName = (position: number): string => `Variant ${position}`;

export const capital = (words: string): string => words.charAt(0).toUpperCase() + words.slice(1);
