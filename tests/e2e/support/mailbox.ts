import { environment } from './environment';
import { ask, eventually } from './requests';

interface Mail {
  subject: string;
  links: string[];
  token_hash: string;
  created_at: string;
}

const mailsTo = (address: string) =>
  ask<Mail[]>(`${environment.supabaseUrl}/mailbox/api/messages?to=${encodeURIComponent(address)}`);

/** The newest mail to an address whose subject matches, as soon as it has arrived. */
export function mailTo(address: string, subject: RegExp): Promise<Mail> {
  return eventually(`a mail "${subject.source}" to ${address}`, async () => {
    const mails = (await mailsTo(address)).filter((mail) => subject.test(mail.subject));
    return mails.sort((a, b) => b.created_at.localeCompare(a.created_at))[0];
  });
}

export async function linkTo(address: string, subject: RegExp): Promise<string> {
  const [link] = (await mailTo(address, subject)).links;
  if (!link) throw new Error(`the mail "${subject.source}" has no link`);
  return link;
}
