import { describeError } from '@/lib/errors';
import type { WhatsAppAccount } from './queries';

/** Why Meta refused, in words. The reason is a code of ours, Meta's numeric code, or both in one text. */
export function reasonWords(reason: string | null): string {
  if (!reason) return 'WhatsApp didn’t accept the connection.';
  if (/^[A-Z]+_\d+$/.test(reason)) return describeError({ code: reason }).message;
  const code = /\b(\d{1,7})\b/.exec(reason)?.[1];
  switch (code) {
    case '190':
    case '0':
      return 'WhatsApp doesn’t accept the access token. It may be mistyped, expired or revoked: make a new one and connect again.';
    case '10':
    case '200':
    case '3':
      return 'The access token lacks a permission. It needs whatsapp_business_messaging and whatsapp_business_management.';
    case '100':
    case '803':
    case '33':
      return 'WhatsApp doesn’t know this phone number id, or the token has no access to it. Copy the ids again.';
    case '368':
    case '131031':
      return 'WhatsApp has restricted this account. Look at Meta’s business settings.';
    case '133010':
      return 'This number isn’t registered with WhatsApp yet. Register it at Meta, then connect again.';
    default:
      break;
  }
  if (/timeout|timed out|unreachable|connect|network|5\d\d/i.test(reason)) {
    return 'We couldn’t reach WhatsApp. We keep trying by ourselves.';
  }
  return 'WhatsApp didn’t accept these details. Check the ids and the token, then connect again.';
}

export const accountName = (account: WhatsAppAccount): string =>
  account.verified_name ?? account.display_phone_number ?? `Number ${account.phone_number_id}`;

/** What blocks work, for the banner. */
export function accountProblem(account: WhatsAppAccount): string | undefined {
  if (account.status === 'error')
    return `${accountName(account)} is disconnected. ${reasonWords(account.status_reason)}`;
  if (account.status === 'connected' && account.quality_rating === 'RED') {
    return `WhatsApp rates the quality of ${accountName(account)} as low, so sending may be limited.`;
  }
  return undefined;
}
