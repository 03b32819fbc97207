import { config, mailboxUrl } from '@/lib/config';

/** Only paths of this app: an address from a link must not send people elsewhere. */
export function safeNext(next: string | undefined): string | undefined {
  if (!next || !/^\/(?![/\\])/.test(next)) return undefined;
  return next;
}

/** Where the link in a mail leads back to. */
export function landing(path: '/verify' | '/reset-password', next?: string): string {
  const url = new URL(path, window.location.origin);
  if (next) url.searchParams.set('next', next);
  return url.href;
}

export const localMailbox = () => mailboxUrl(config());
