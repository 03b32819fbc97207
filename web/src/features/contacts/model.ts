import type { CustomValue } from './custom-fields';

export interface Tag {
  id: string;
  name: string;
  color: string;
}

export const addressParts = ['street', 'city', 'state', 'zip', 'country'] as const;
export type AddressPart = (typeof addressParts)[number];
export type Address = Partial<Record<AddressPart, string | null>>;

export interface Contact {
  id: string;
  full_name: string | null;
  username: string | null;
  phone: string | null;
  email: string | null;
  company: string | null;
  job_title: string | null;
  notes: string | null;
  avatar_url: string | null;
  address: Address | null;
  birthday: string | null;
  source: string;
  opt_in_status: string;
  opt_in_at: string | null;
  opt_in_source: string | null;
  lifecycle_stage: string;
  custom_fields: Record<string, CustomValue>;
  last_message_at: string | null;
  created_at: string;
  updated_at: string;
  deleted_at: string | null;
  erased_at?: string | null;
  messages_received?: number;
  messages_sent?: number;
  tags: Tag[];
}

export const contactName = (contact: {
  full_name: string | null;
  username: string | null;
  phone: string | null;
}): string => contact.full_name ?? contact.username ?? contact.phone ?? 'Unknown contact';

export const stageNames = {
  lead: 'Lead',
  prospect: 'Prospect',
  customer: 'Customer',
  churned: 'Churned',
} as const;
export const stages = Object.keys(stageNames) as (keyof typeof stageNames)[];

export const sourceNames = {
  manual: 'Added by hand',
  import: 'Imported',
  whatsapp: 'Wrote on WhatsApp',
  campaign: 'From a campaign',
  flow: 'From a flow',
  ad: 'From an ad',
} as const;
export const sources = Object.keys(sourceNames) as (keyof typeof sourceNames)[];

export const consentNames = { opted_in: 'Opted in', pending: 'Pending', opted_out: 'Opted out' } as const;
export const consents = Object.keys(consentNames) as (keyof typeof consentNames)[];

export const consentSourceNames = {
  manual: 'Told us in person',
  form: 'Filled in a form',
  whatsapp: 'Wrote it on WhatsApp',
  import: 'Came with an import',
} as const;
export const consentSources = Object.keys(consentSourceNames) as (keyof typeof consentSourceNames)[];

/** A word for a value the database holds; what it may learn later is shown as it is. */
export const wordFor = (names: Record<string, string>, value: string | null | undefined): string =>
  value ? (names[value] ?? value.replaceAll('_', ' ')) : '';

export const choices = (names: Record<string, string>) =>
  Object.entries(names).map(([value, label]) => ({ value, label }));
