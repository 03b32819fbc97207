import type { CustomField } from '@/features/contacts/custom-fields';
import type { Variable, Variables } from '../model';
import type { TemplateVariable } from '../templates';

/** What of a contact may stand in a message, as the rules of campaigns know it. */
const contactFields = [
  { value: 'first_name', label: 'First name' },
  { value: 'full_name', label: 'Full name' },
  { value: 'phone', label: 'Phone number' },
  { value: 'email', label: 'E-mail' },
  { value: 'company', label: 'Company' },
  { value: 'job_title', label: 'Job title' },
  { value: 'username', label: 'WhatsApp username' },
  { value: 'birthday', label: 'Birthday' },
  { value: 'address.city', label: 'City' },
  { value: 'address.state', label: 'State' },
  { value: 'address.country', label: 'Country' },
];

export function fieldChoices(custom: CustomField[]) {
  const own = custom
    .filter(({ archived_at }) => !archived_at)
    .map(({ key, label }) => ({ value: `custom.${key}`, label }));
  return own.length > 0
    ? [
        { group: 'Contact', items: contactFields },
        { group: 'Your own fields', items: own },
      ]
    : contactFields;
}

/** A file is the same for everybody. */
export const isFile = (kind: string): kind is 'image' | 'video' | 'document' =>
  kind === 'image' || kind === 'video' || kind === 'document';

/** A flow opens without a token; a file is given by its own field, which knows the template's. */
const mayBeLeftOut = (kind: string): boolean => isFile(kind) || kind === 'flow';

const isNameLike = (variable: TemplateVariable): boolean => /name/i.test(variable.key);

/** Where a variable begins: what somebody chose already, else a guess that saves the common work. */
export function startingVariables(asked: TemplateVariable[], kept: Variables): Variables {
  const texts = asked.filter(({ kind }) => kind === 'text');
  const chosen = asked.flatMap((variable): [string, Variable][] => {
    const before = kept[variable.key];
    if (before) return [[variable.key, before]];
    if (mayBeLeftOut(variable.kind)) return [];
    const isName =
      variable.kind === 'text' && (isNameLike(variable) || (texts.length === 1 && variable.key === 'body.1'));
    return [
      [
        variable.key,
        isName
          ? { source: 'contact', field: 'first_name', default: '' }
          : { source: 'static', value: variable.kind === 'location' ? {} : '' },
      ],
    ];
  });
  return Object.fromEntries(chosen);
}

/**
 * Values for a preview while the mapping is being made: fixed ones as typed, fields of the contact by their default or
 * name. What real contacts get is the rehearsal's to say.
 */
export function previewValues(variables: Variables): Record<string, unknown> {
  const known = Object.entries(variables).flatMap(([key, variable]): [string, unknown][] => {
    const value = variable.source === 'static' ? variable.value : variable.default;
    if (typeof value === 'string') return value.trim() ? [[key, value]] : [];
    return value && typeof value === 'object' && Object.keys(value).length > 0 ? [[key, value]] : [];
  });
  return Object.fromEntries(known);
}
