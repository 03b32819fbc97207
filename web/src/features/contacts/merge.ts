import { addressParts, type Contact, consentNames, contactName, wordFor } from './model';

export interface MergedField {
  label: string;
  keep: string;
  /** What only the other one has, or has differently. */
  lost?: string;
  /** Whether the value comes from the one that goes. */
  taken: boolean;
}

const fields = [
  ['full_name', 'Name'],
  ['phone', 'Phone'],
  ['email', 'E-mail'],
  ['company', 'Company'],
  ['job_title', 'Job title'],
  ['birthday', 'Birthday'],
] as const;

/** What becomes of two contacts, as `merge_contacts` does it: the kept one's values, the other's where it has none. */
export function mergedFields(keep: Contact, gone: Contact): MergedField[] {
  const rows: MergedField[] = [];
  for (const [key, label] of fields) {
    const mine = keep[key];
    const theirs = gone[key];
    if (!mine && !theirs) continue;
    rows.push({
      label,
      keep: mine ?? theirs ?? '',
      lost: mine && theirs && mine !== theirs ? theirs : undefined,
      taken: !mine,
    });
  }
  const address = (contact: Contact) =>
    addressParts
      .map((part) => contact.address?.[part])
      .filter(Boolean)
      .join(', ');
  const place = address(keep) || address(gone);
  if (place) rows.push({ label: 'Address', keep: place, taken: !address(keep) });
  if (keep.notes || gone.notes)
    rows.push({
      label: 'Notes',
      keep: keep.notes && gone.notes && keep.notes !== gone.notes ? 'Both, one after the other' : 'Kept',
      taken: !keep.notes,
    });
  const consent = mergedConsent(keep.opt_in_status, gone.opt_in_status);
  rows.push({
    label: 'Opt-in',
    keep: wordFor(consentNames, consent),
    lost: consent === keep.opt_in_status ? undefined : wordFor(consentNames, keep.opt_in_status),
    taken: false,
  });
  const tags = [...new Set([...keep.tags, ...gone.tags].map((tag) => tag.name))].sort();
  if (tags.length > 0)
    rows.push({ label: 'Tags', keep: tags.join(', '), taken: tags.length > keep.tags.length });
  return rows;
}

/** Whoever opted out once stays out; else an opt-in of either counts. */
export function mergedConsent(a: string, b: string): string {
  const both = [a, b];
  return both.includes('opted_out') ? 'opted_out' : both.includes('opted_in') ? 'opted_in' : 'pending';
}

export const mergeSummary = (keep: Contact, gone: Contact): string =>
  `${contactName(gone)}’s messages, notes and history move to ${contactName(keep)}.`;
