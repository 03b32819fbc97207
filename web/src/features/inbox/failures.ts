import { describeError } from '@/lib/errors';

/** Why WhatsApp did not deliver, by Meta's code (developers.facebook.com, Cloud API error codes). */
const metaWords: Record<string, string> = {
  '0': 'WhatsApp no longer accepts our access token. Connect the number again in Settings.',
  '10': 'WhatsApp took a permission away. Connect the number again in Settings.',
  '190': 'WhatsApp no longer accepts our access token. Connect the number again in Settings.',
  '368': 'WhatsApp has restricted your account. Check Meta’s business settings.',
  '130403': 'This number is blocked by your business.',
  '130429': 'Too many messages at once. Try again in a minute.',
  '130472': 'WhatsApp held this message back as part of an experiment. Trying again won’t help.',
  '130497': 'Your account may not write to this country.',
  '131000': 'Something went wrong at WhatsApp. Try again in a minute.',
  '131016': 'Something went wrong at WhatsApp. Try again in a minute.',
  '131021': 'A number can’t write to itself.',
  '131026': 'This number can’t receive it: it may not be on WhatsApp, or has blocked you.',
  '131030': 'This number isn’t on your test number’s list of allowed recipients.',
  '131031': 'WhatsApp has locked your account. Check Meta’s business settings.',
  '131037': 'Meta hasn’t approved your number’s display name yet.',
  '131042': 'There is a problem with your payment details at Meta.',
  '131045': 'Your number isn’t fully registered with WhatsApp.',
  '131047': 'More than 24 hours have passed since the customer last wrote. Send a template instead.',
  '131048': 'WhatsApp paused sending because too many messages were marked as spam.',
  '131049': 'WhatsApp limits marketing to this person for now. Try again after a day.',
  '131050': 'This person has stopped marketing messages from you.',
  '131051': 'WhatsApp doesn’t support this kind of message.',
  '131052': 'WhatsApp couldn’t fetch the file.',
  '131053': 'WhatsApp couldn’t process the file.',
  '131056': 'Too many messages to this person in a short time. Try again in a few minutes.',
  '131057': 'Your number is being serviced by WhatsApp. Try again in a minute.',
  '132000': 'The values don’t fit the template. Check them, then try again.',
  '132001': 'WhatsApp doesn’t have this template in this language, or hasn’t approved it.',
  '132005': 'With its values the text is too long.',
  '132007': 'The values don’t fit the template. Check them, then try again.',
  '132012': 'The values don’t fit the template. Check them, then try again.',
  '132015': 'WhatsApp has paused this template because of low quality.',
  '132016': 'WhatsApp has disabled this template for good.',
  '133010': 'Your number isn’t registered with WhatsApp.',
};

export function failureWords(errorCode: string | null): string {
  if (!errorCode) return 'WhatsApp didn’t accept this message.';
  const meta = metaWords[errorCode];
  if (meta) return meta;
  if (/^[A-Z]+_\d+$/.test(errorCode)) return describeError({ code: errorCode }).message;
  return `WhatsApp didn’t accept this message (code ${errorCode}).`;
}
