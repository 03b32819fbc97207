import { type Contact, contactName } from './model';

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
  const tags = [...new Set([...keep.tags, ...gone.tags].map((tag) => tag.name))].sort();
  if (tags.length > 0)
    rows.push({ label: 'Tags', keep: tags.join(', '), taken: tags.length > keep.tags.length });
  return rows;
}

export const mergeSummary = (keep: Contact, gone: Contact): string =>
  `${contactName(gone)}’s messages, notes and history move to ${contactName(keep)}.`;
