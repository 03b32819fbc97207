import { expect } from '@playwright/test';
import { importFile, uploadFile } from './imports';
import type { Place } from './looking';
import { callAs, type Team } from './people';
import { choose } from './menu';

/** What the places below lead to. */
export interface Furniture {
  contact: string;
  segment: string;
  list: string;
  waitingImport: string;
  doneImport: string;
}

const FILE = [
  'Mobile,Full name,E-mail,Joined,Plan,Remarks',
  '012-345 6701,Nurul Ain,nurul@example.com,01/02/2026,Gold,"likes yoga, hates mornings"',
  '+60 12 345 6702,"陳大文",,13/02/2026,Silver,',
  'not a number,Broken Row,broken@,31/02/2026,Gold,',
  '0123456703,José Åkerström-Müller of a Very Long Family Name,jose@example.com,,,🙂',
].join('\r\n');

/** Contacts, tags, own fields, segments and imports that fill the pages with every kind of thing. */
export async function furnishContacts(team: Team): Promise<Furniture> {
  const { owner, orgId } = team;
  const call = <T>(rpc: string, parameters: Record<string, unknown>) => callAs<T>(owner, rpc, { p_org_id: orgId, ...parameters });
  const change = (rpc: string, parameters: Record<string, unknown>) => callAs<unknown>(owner, rpc, parameters);
  const tagNames = ['VIP', 'Yoga', 'Trial member who has not decided yet', 'Referred by a friend'];
  const tags = [];
  for (const p_name of tagNames) tags.push(await call<{ id: string }>('create_tag', { p_name }));
  const tagIds = tags.map((tag) => tag.id);
  await call('create_custom_field', { p_label: 'Membership plan', p_type: 'choice', p_options: ['Gold', 'Silver', 'Pay as you go'] });
  await call('create_custom_field', { p_label: 'Visits', p_type: 'number' });
  const old = await call<{ id: string }>('create_custom_field', { p_label: 'Locker', p_type: 'text' });
  await change('archive_custom_field', { p_id: old.id });
  await call('set_consent_keywords', { p_stop: ['stop', 'berhenti'], p_start: ['start', 'mula'] });

  const add = (p_fields: Record<string, unknown>) => call<{ id: string }>('create_contact', { p_fields });
  const contact = await add({
    phone: '+60123450001',
    full_name: 'Meera Krishnan',
    email: 'meera.krishnan.with.a.rather.long.address@example.com',
    company: 'Krishnan & Daughters Trading',
    job_title: 'Owner',
    notes: 'Prefers mornings.\nAsk about the family plan in March.',
    birthday: '1990-03-14',
    lifecycle_stage: 'customer',
    tag_ids: tagIds,
    custom_fields: { membership_plan: 'Gold', visits: 42 },
  });
  await change('set_contact_consent', { p_id: contact.id, p_status: 'opted_in', p_source: 'form', p_evidence: 'Signed at the desk' });
  const other = await add({ phone: '+60123450002', full_name: 'Omar Haddad', tag_ids: tagIds.slice(0, 1) });
  const gone = await add({ phone: '+60123450003', full_name: 'Greta Gone' });
  await change('delete_contact', { p_id: gone.id });

  const rules = {
    all: [
      { field: 'tags', operator: 'has_any_of', value: tagIds.slice(0, 1) },
      { any: [{ field: 'custom.membership_plan', operator: 'is', value: 'Gold' }, { field: 'last_message_at', operator: 'in_last', value: { amount: 30, unit: 'days' } }] },
      { none: [{ field: 'opt_in_status', operator: 'is', value: 'opted_out' }] },
    ],
  };
  const segment = await call<{ id: string }>('create_segment', { p_name: 'Golden VIPs', p_kind: 'dynamic', p_rules: rules, p_description: 'For the anniversary' });
  await change('pin_segment_contacts', { p_segment_id: segment.id, p_contact_ids: [other.id], p_kind: 'include' });
  await call('create_segment', { p_name: 'VIPs who wrote', p_kind: 'dynamic', p_rules: { all: [{ field: 'segment', operator: 'is_in', value: segment.id }] } });
  const list = await call<{ id: string }>('create_segment', { p_name: 'Guests of the opening', p_kind: 'static', p_selection: { ids: [contact.id, other.id] } });

  const waiting = await uploadFile(team, 'members-of-january.csv', FILE);
  const done = await importFile(team, 'opening-day.csv', FILE, ['phone', 'full_name', 'email']);
  return { contact: contact.id, segment: segment.id, list: list.id, waitingImport: waiting.id, doneImport: done.id };
}

export const contactPlaces = (at: Furniture): Place[] => [
  { name: 'contacts', visit: async (page) => { await page.goto('/contacts'); await expect(page.getByRole('link', { name: 'Meera Krishnan' })).toBeVisible(); } },
  {
    name: 'contacts-selected',
    visit: async (page) => {
      await page.goto('/contacts');
      await page.getByRole('checkbox', { name: 'Select Meera Krishnan' }).click();
      await expect(page.getByRole('region', { name: 'Selected contacts' }).getByText('1 selected')).toBeVisible();
    },
  },
  {
    name: 'contacts-filters',
    visit: async (page) => {
      await page.goto('/contacts?filters=true');
      await page.getByRole('button', { name: 'More rules' }).click();
      await page.getByRole('button', { name: 'Add rule' }).click();
      await expect(page.getByRole('combobox', { name: 'Look at' })).toBeVisible();
    },
  },
  { name: 'contact-new', visit: async (page) => { await page.goto('/contacts?add=true'); await expect(page.getByLabel('Phone number')).toBeVisible(); } },
  { name: 'contacts-nobody', visit: async (page) => { await page.goto('/contacts?q=zzzz'); await expect(page.getByText('Nobody found')).toBeVisible(); } },
  { name: 'contacts-trash', visit: async (page) => { await page.goto('/contacts?trash=true'); await expect(page.getByRole('button', { name: 'Restore Greta Gone' })).toBeVisible(); } },
  {
    name: 'contact',
    visit: async (page) => {
      await page.goto(`/contacts/${at.contact}`);
      await expect(page.getByRole('region', { name: 'Activity' }).getByText(/^Added/)).toBeVisible();
      await expect(page.getByRole('link', { name: 'Golden VIPs' })).toBeVisible();
    },
  },
  {
    name: 'contact-merge',
    visit: async (page) => {
      await page.goto(`/contacts/${at.contact}`);
      await choose(page, page.getByRole('button', { name: 'More', exact: true }), /^Merge/);
      await expect(page.getByRole('dialog')).toBeVisible();
    },
  },
  { name: 'import-upload', visit: async (page) => { await page.goto('/contacts/import'); await expect(page.getByText('Drop your file here')).toBeVisible(); } },
  {
    name: 'import-mapping',
    visit: async (page) => {
      await page.goto(`/contacts/import?job=${at.waitingImport}`);
      await expect(page.getByRole('combobox', { name: 'Mobile becomes' })).toBeVisible();
      await expect(page.getByText('1 row with a problem')).toBeVisible();
    },
  },
  { name: 'import-results', visit: async (page) => { await page.goto(`/contacts/import?job=${at.doneImport}`); await expect(page.getByRole('button', { name: 'Download these rows' })).toBeVisible(); } },
  { name: 'jobs', visit: async (page) => { await page.goto('/contacts/jobs'); await expect(page.getByText('Import of opening-day.csv')).toBeVisible(); } },
  { name: 'segments', visit: async (page) => { await page.goto('/segments'); await expect(page.getByRole('link', { name: 'Guests of the opening' })).toBeVisible(); } },
  { name: 'segments-none-found', visit: async (page) => { await page.goto('/segments?q=zzzz'); await expect(page.getByText('No segment found')).toBeVisible(); } },
  { name: 'segment-new', visit: async (page) => { await page.goto('/segments/new'); await expect(page.getByRole('region', { name: 'Who matches' }).getByRole('status')).toContainText('contacts'); } },
  {
    name: 'segment-edit',
    visit: async (page) => {
      await page.goto(`/segments/${at.segment}/edit`);
      await expect(page.getByRole('combobox', { name: 'Look at' })).toHaveCount(4);
      await expect(page.getByRole('region', { name: 'Who matches' }).getByRole('status')).toHaveText('1 contact');
    },
  },
  { name: 'segment', visit: async (page) => { await page.goto(`/segments/${at.segment}`); await expect(page.getByRole('row', { name: /Meera Krishnan/ })).toBeVisible(); } },
  { name: 'segment-static', visit: async (page) => { await page.goto(`/segments/${at.list}`); await expect(page.getByRole('row', { name: /Omar Haddad/ })).toBeVisible(); } },
  {
    name: 'segment-why',
    visit: async (page) => {
      await page.goto(`/segments/${at.segment}?why=${at.contact}`);
      await expect(page.getByRole('heading', { name: /Meera Krishnan is in/ })).toBeVisible();
    },
  },
  { name: 'settings-tags', visit: async (page) => { await page.goto('/settings/tags'); await expect(page.getByRole('button', { name: 'Edit tag VIP' })).toBeVisible(); } },
  { name: 'settings-custom-fields', visit: async (page) => { await page.goto('/settings/custom-fields'); await expect(page.getByRole('button', { name: 'Edit Membership plan' })).toBeVisible(); } },
  { name: 'settings-consent-keywords', visit: async (page) => { await page.goto('/settings/consent-keywords'); await expect(page.getByText('berhenti')).toBeVisible(); } },
];
