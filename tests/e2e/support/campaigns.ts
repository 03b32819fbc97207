import { environment } from './environment';
import { callAs, type Team, tokenOf } from './people';
import { ask, eventually } from './requests';

const { supabaseUrl, anonKey } = environment;

let made = 0;
/** Names of templates are small letters, digits and underscores, and unique in an account. */
const unique = (name: string) => `${name}_${Date.now().toString(36)}_${++made}`;

export interface ApprovedTemplate {
  id: string;
  name: string;
}

interface TemplateRow {
  status: string;
  rejected_reason: string | null;
}

/** A template that Meta (the sandbox) has approved. */
export async function approvedTemplate(
  team: Team,
  body: string,
  { examples = [], category = 'marketing', ...more }: { examples?: string[]; category?: string; [field: string]: unknown } = {},
): Promise<ApprovedTemplate> {
  const name = unique('offer');
  const components = [
    { type: 'BODY', text: body, ...(examples.length > 0 && { example: { body_text: [examples] } }) },
  ];
  const template = await callAs<{ id: string }>(team.owner, 'create_template', {
    p_org_id: team.orgId,
    p_fields: { name, language: 'en', category, parameter_format: 'positional', components, ...more },
  });
  await callAs(team.owner, 'submit_template', { p_id: template.id });
  await eventually(`the template ${name} to be approved`, async () => {
    const [row] = await rows<TemplateRow>(team, `templates?select=status,rejected_reason&id=eq.${template.id}`);
    if (row?.status === 'rejected') throw new Error(`the template was rejected: ${row.rejected_reason}`);
    return row?.status === 'approved' ? true : undefined;
  }, 30_000);
  return { id: template.id, name };
}

/** Rows of a table as the owner of the team may see them. */
export async function rows<T>(team: Team, path: string): Promise<T[]> {
  return ask<T[]>(`${supabaseUrl}/rest/v1/${path}`, {
    headers: { apikey: anonKey, authorization: `Bearer ${await tokenOf(team.owner)}` },
  });
}

let people = 0;

export interface Recipient {
  id: string;
  name: string;
  phone: string;
}

/** A contact who may get marketing, unless said otherwise. */
export async function addRecipient(team: Team, name: string, fields: Record<string, unknown> = {}): Promise<Recipient> {
  const digits = String(Date.now() % 10_000).padStart(4, '0') + String(++people).padStart(3, '0');
  const phone = `6012${digits}`;
  const contact = await callAs<{ id: string }>(team.owner, 'create_contact', {
    p_org_id: team.orgId,
    p_fields: { phone: `+${phone}`, full_name: name, opt_in_status: 'opted_in', opt_in_source: 'form', ...fields },
  });
  return { id: contact.id, name, phone };
}

/** A fixed list, so that tests of one file do not meet in one audience. */
export const listOf = (team: Team, name: string, contacts: { id: string }[]) =>
  callAs<{ id: string }>(team.owner, 'create_segment', {
    p_org_id: team.orgId,
    p_name: name,
    p_kind: 'static',
    p_selection: { ids: contacts.map(({ id }) => id) },
  });

export interface CampaignRow {
  id: string;
  status: string;
  updated_at: string;
}

export const makeCampaign = (team: Team, fields: Record<string, unknown>) =>
  callAs<CampaignRow>(team.owner, 'create_campaign', { p_org_id: team.orgId, p_fields: fields });

interface Counted {
  stats: Record<string, number>;
  campaign: { status: string };
}

/** The campaign's figures, once they are as wanted. */
export const figures = (team: Team, id: string, wanted: (detail: Counted) => boolean) =>
  eventually('the figures of the campaign', async () => {
    const detail = await callAs<Counted>(team.owner, 'campaign_detail', { p_id: id });
    return wanted(detail) ? detail : undefined;
  }, 30_000);

interface Shown {
  messages: { is_from_customer: boolean; content: { shown?: { body?: string } } }[];
}

/** How often a template with these words stands in the customer's chat. */
export async function timesShown(team: Team, to: Recipient, body: string): Promise<number> {
  const thread = await ask<Shown>(`${environment.sandboxUrl}/admin/chat/${team.number.phoneNumberId}/${to.phone}`);
  return thread.messages.filter((message) => !message.is_from_customer && message.content.shown?.body === body).length;
}
