import { environment } from './environment';
import { callAs, type Team } from './people';
import { ask, eventually } from './requests';
import type { Customer, SandboxNumber } from './sandbox';

export interface Template {
  id: string;
  name: string;
  status: string;
  updated_at: string;
}

let made = 0;
export const newTemplateName = (name: string): string => `${name}_${Date.now().toString(36)}_${++made}`;

export const makeTemplate = (team: Team, fields: Record<string, unknown>): Promise<Template> =>
  callAs<Template>(team.owner, 'create_template', {
    p_org_id: team.orgId,
    p_fields: { name: newTemplateName('message'), language: 'en_US', category: 'utility', parameter_format: 'named', ...fields },
  });

/** A draft submitted to the sandbox's Meta, once it has decided. */
export async function decidedTemplate(team: Team, fields: Record<string, unknown>, status = 'approved'): Promise<Template> {
  const { id, name } = await makeTemplate(team, fields);
  await callAs(team.owner, 'submit_template', { p_id: id });
  return eventually(`${name} to be ${status}`, async () => {
    const { templates } = await callAs<{ templates: Template[] }>(team.owner, 'list_templates', { p_org_id: team.orgId, p_search: name });
    return templates.find((template) => template.id === id && template.status === status);
  }, 30_000);
}

export const reminder = (more: Record<string, unknown> = {}) => ({
  components: [
    { type: 'HEADER', format: 'TEXT', text: 'Your class' },
    {
      type: 'BODY',
      text: 'Hi {{first_name}}, your class on {{day}} is confirmed. See you soon!',
      example: { body_text_named_params: [{ param_name: 'first_name', example: 'Aina' }, { param_name: 'day', example: 'Monday' }] },
    },
    { type: 'FOOTER', text: 'Lotus Fitness' },
    { type: 'BUTTONS', buttons: [{ type: 'QUICK_REPLY', text: 'Thanks' }, { type: 'QUICK_REPLY', text: 'I can’t come' }] },
  ],
  ...more,
});

interface Thread {
  messages: { is_from_customer: boolean; content: unknown }[];
}

/** What reached the customer's phone of a template. */
export const templateArrivesAt = (number: SandboxNumber, customer: Customer, template: string) =>
  eventually(`${template} at the customer`, async () => {
    const { messages } = await ask<Thread>(`${environment.sandboxUrl}/admin/chat/${number.phoneNumberId}/${customer.phone}`);
    return messages.find(({ is_from_customer, content }) => !is_from_customer && JSON.stringify(content).includes(template))?.content;
  });
