import { inject } from 'vitest';
import { withDatabase } from './stack';
import { until } from './until';

/** A mail as the local mailbox shows it. */
export interface Mail {
  id: string;
  to: string;
  subject: string;
  body_text: string;
  links: string[];
  token: string;
  token_hash: string;
  created_at: string;
}

/** All mails to an address, the latest first. */
export async function mailsTo(email: string): Promise<Mail[]> {
  const response = await fetch(`${inject('stack').url}/mailbox/api/messages?to=${encodeURIComponent(email)}`);
  if (!response.ok) throw new Error(`the mailbox answers ${response.status}`);
  return (await response.json()) as Mail[];
}

/** The latest of `count` mails to an address, once there are as many. */
export async function latestMail(email: string, count = 1): Promise<Mail> {
  return until(`${count} mails to ${email}`, async () => {
    const mails = await mailsTo(email);
    return mails.length >= count && mails[0];
  });
}

/** The one link of a mail. */
export function linkIn(mail: Mail): string {
  const [link] = mail.links;
  if (link === undefined) throw new Error(`no link in ${mail.body_text}`);
  return link;
}

/** Lets a user's mails lie `seconds` further back, links and codes included. */
export async function ageMails(email: string, seconds: number): Promise<void> {
  await withDatabase(inject('stack'), async (database) => {
    await database.query(
      `update auth.users set
         confirmation_sent_at = confirmation_sent_at - make_interval(secs => $2),
         recovery_sent_at = recovery_sent_at - make_interval(secs => $2)
       where email = $1`,
      [email, seconds],
    );
    await database.query(
      `update auth.one_time_tokens as t set
         created_at = t.created_at - make_interval(secs => $2),
         updated_at = t.updated_at - make_interval(secs => $2)
       from auth.users as u where u.id = t.user_id and u.email = $1`,
      [email, seconds],
    );
  });
}
