import { environment } from './environment';
import { callAs, type Team, tokenOf } from './people';
import { ask, eventually } from './requests';
import { decidedTemplate, newTemplateName, type Template } from './templates';

/** A template that Meta (the sandbox) has approved. */
export function approvedTemplate(
  team: Team,
  body: string,
  { examples = [], components = [], ...more }: { examples?: string[]; components?: object[]; [field: string]: unknown } = {},
): Promise<Template> {
  return decidedTemplate(team, {
    name: newTemplateName('offer'),
    language: 'en',
    category: 'marketing',
    parameter_format: 'positional',
    components: [{ type: 'BODY', text: body, ...(examples.length > 0 && { example: { body_text: [examples] } }) }, ...components],
    ...more,
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
  messages: { is_from_customer: boolean; content: { shown?: { body?: string }; components?: { type: string; parameters?: { text?: string }[] }[] } }[];
}

const chatWith = (team: Team, to: Recipient) => ask<Shown>(`${environment.sandboxUrl}/admin/chat/${team.number.phoneNumberId}/${to.phone}`);

/** How often a template with these words stands in the customer's chat. */
export async function timesShown(team: Team, to: Recipient, body: string): Promise<number> {
  const thread = await chatWith(team, to);
  return thread.messages.filter((message) => !message.is_from_customer && message.content.shown?.body === body).length;
}

/** The token on the button of the one message that reached the customer. */
export async function tokenAt(team: Team, to: Recipient): Promise<string> {
  const { messages } = await chatWith(team, to);
  const buttons = messages.flatMap(({ content }) => content.components ?? []).filter(({ type }) => type === 'button');
  const token = buttons[0]?.parameters?.[0]?.text;
  if (!token) throw new Error(`no link reached ${to.name}`);
  return token;
}

/** A PNG of one pixel. */
const PIXEL = Buffer.from(
  'iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mNkYPhfDwAChwGA60e6kgAAAABJRU5ErkJggg==',
  'base64',
);

/** A picture in the organisation's bucket, as the builder of templates puts it there. */
export async function storedPicture(team: Team, name: string): Promise<{ path: string; mime: string }> {
  const path = `${team.orgId}/${crypto.randomUUID()}/${name}`;
  const answer = await fetch(`${environment.supabaseUrl}/storage/v1/object/templates/${path}`, {
    method: 'POST',
    headers: { apikey: environment.anonKey, authorization: `Bearer ${await tokenOf(team.owner)}`, 'content-type': 'image/png' },
    body: PIXEL,
  });
  if (!answer.ok) throw new Error(`the picture was refused: ${answer.status} ${await answer.text()}`);
  return { path, mime: 'image/png' };
}
