import type { CustomField } from '@/features/contacts/custom-fields';
import type { Inspection } from '../model';

export interface FieldProblem {
  field: string | null;
  message: string;
}

/** Which field each column fills; null leaves the column out. */
export type Chosen = Record<number, string | null>;

export interface ImportOptions {
  has_header: boolean;
  delimiter: string | null;
  encoding: string | null;
  duplicates: 'skip' | 'update';
  default_region: string;
  tag_ids: string[];
  consent: { status: string; source: string; evidence: string | null } | null;
  date_order: 'dmy' | 'mdy' | 'ymd';
}

const fixed: [group: string, fields: [field: string, label: string][]][] = [
  [
    'Contact',
    [
      ['phone', 'Phone'],
      ['full_name', 'Name'],
      ['email', 'E-mail'],
      ['company', 'Company'],
      ['job_title', 'Job title'],
      ['birthday', 'Birthday'],
      ['lifecycle_stage', 'Stage'],
      ['notes', 'Notes'],
      ['tags', 'Tags'],
    ],
  ],
  [
    'Address',
    [
      ['address.street', 'Street'],
      ['address.city', 'City'],
      ['address.state', 'State'],
      ['address.zip', 'Postcode'],
      ['address.country', 'Country'],
    ],
  ],
];

export interface FieldGroup {
  group: string;
  items: { value: string; label: string }[];
}

export function fieldChoices(customFields: CustomField[]): FieldGroup[] {
  const own = customFields.filter((field) => !field.archived_at);
  return [
    ...fixed.map(([group, fields]) => ({
      group,
      items: fields.map(([value, label]) => ({ value, label })),
    })),
    ...(own.length > 0
      ? [
          {
            group: 'Your fields',
            items: own.map((field) => ({ value: `custom.${field.key}`, label: field.label })),
          },
        ]
      : []),
  ];
}

export const fieldLabel = (groups: FieldGroup[], field: string): string =>
  groups.flatMap((group) => group.items).find((item) => item.value === field)?.label ?? field;

/** Fields that several columns may make up, joined in their order: first and last name, two lists of tags. */
const joined = new Set(['full_name', 'company', 'job_title', 'notes', 'tags']);

/** What the file itself suggests, and only fields that exist. */
export function suggested(inspection: Inspection, groups: FieldGroup[]): Chosen {
  const known = new Set(groups.flatMap((group) => group.items.map((item) => item.value)));
  const taken = new Set<string>();
  return Object.fromEntries(
    inspection.columns.map(({ index, suggested: field }) => {
      const free = field !== null && known.has(field) && !taken.has(field);
      if (free && !joined.has(field)) taken.add(field);
      return [index, free ? field : null];
    }),
  );
}

export const mappingOf = (chosen: Chosen): { index: number; field: string }[] =>
  Object.entries(chosen)
    .flatMap(([index, field]) => (field ? [{ index: Number(index), field }] : []))
    .sort((a, b) => a.index - b.index);

/** What stands in the way of starting; the first is about the whole, others about a column. */
export function mappingProblems(chosen: Chosen): { whole: string | null; columns: Record<number, string> } {
  const mapping = mappingOf(chosen);
  const columns: Record<number, string> = {};
  for (const { index, field } of mapping) {
    const first = mapping.find((other) => other.field === field);
    if (!joined.has(field) && first && first.index !== index)
      columns[index] = 'Another column fills this already.';
  }
  const whole = mapping.some(({ field }) => field === 'phone')
    ? null
    : 'Choose which column holds the phone number. Everybody is known by theirs.';
  return { whole, columns };
}

export const usualOptions = (inspection: Inspection, country: string): ImportOptions => ({
  has_header: inspection.has_header,
  delimiter: inspection.delimiter,
  encoding: inspection.encoding,
  duplicates: 'skip',
  default_region: country,
  tag_ids: [],
  consent: null,
  date_order: 'dmy',
});

/** PRD §5.4. */
export const MAX_BYTES = 10 * 1024 * 1024;

export function fileProblem(file: Pick<File, 'name' | 'size'>): string | null {
  if (!/\.(csv|tsv|txt|xlsx)$/i.test(file.name))
    return 'Choose a CSV or XLSX file. In Excel or Sheets: File, Save as or Download.';
  if (file.size > MAX_BYTES) return 'That file is larger than 10 MB. Split it in two and import both.';
  if (file.size === 0) return 'That file is empty.';
  return null;
}

/** The name as a part of a storage path; the real one travels beside it. */
export function pathName(name: string): string {
  const ending = /\.[a-z]+$/i.exec(name)?.[0].toLowerCase() ?? '';
  const stem = name
    .slice(0, name.length - ending.length)
    .replaceAll(/[^\w-]+/g, '-')
    .replaceAll(/^-+|-+$/g, '')
    .slice(0, 80);
  return `${stem || 'contacts'}${ending}`;
}
