import { environment } from './environment';
import { ask, eventually } from './requests';

const admin = (path: string) => new URL(`/admin/${path}`, environment.sandboxUrl);

export interface SandboxNumber {
  wabaId: string;
  phoneNumberId: string;
  token: string;
  verifiedName: string;
  displayPhoneNumber: string;
}

const digits = (count: number) => Array.from({ length: count }, () => Math.floor(Math.random() * 10)).join('');

/** A business number of its own, so that tests do not meet in one inbox. */
export async function addNumber(verifiedName: string): Promise<SandboxNumber> {
  const token = `e2e-token-${digits(12)}`;
  const displayPhoneNumber = `+60 3-55${digits(2)} ${digits(4)}`;
  const made = await ask<{ phone_number_id: string; waba_id: string }>(admin('accounts'), {
    body: {
      phone_number_id: `9${digits(14)}`,
      waba_id: `8${digits(14)}`,
      token,
      verified_name: verifiedName,
      display_phone_number: displayPhoneNumber,
      is_subscribed: true,
    },
  });
  return { wabaId: made.waba_id, phoneNumberId: made.phone_number_id, token, verifiedName, displayPhoneNumber };
}

export interface Customer {
  phone: string;
  name: string;
}

export const newCustomer = (name: string): Customer => ({ name, phone: `601177${digits(6)}` });

/** The customer writes; resolves once the product has acknowledged the webhook. */
export async function customerWrites(number: SandboxNumber, customer: Customer, message: Record<string, unknown>): Promise<string> {
  const answer = await ask<{ wa_message_id: string; http_statuses: (number | null)[] }>(
    admin(`customers/${customer.phone}/messages`),
    { body: { phone_number_id: number.phoneNumberId, name: customer.name, type: 'text', wait: true, ...message } },
  );
  if (answer.http_statuses.some((status) => status !== 200)) {
    throw new Error(`the webhook was answered ${JSON.stringify(answer.http_statuses)}`);
  }
  return answer.wa_message_id;
}

/** The customer opens the chat: what reached the phone becomes read. */
export const customerReads = (number: SandboxNumber, customer: Customer) =>
  ask(admin(`customers/${customer.phone}/read`), { body: { phone_number_id: number.phoneNumberId } });

/** How the phone of a customer behaves, for example `{fail_code: 131026}`. */
export const changeCustomer = (customer: Customer, change: Record<string, unknown>) =>
  ask(admin(`customers/${customer.phone}`), { body: change });

export const setFaults = (faults: Record<string, unknown>) => ask(admin('faults'), { body: faults });

interface Thread {
  messages: { id: string; is_from_customer: boolean; content: { body?: string }; status: string | null }[];
}

/** What the customer sees of our message, once it is there. */
export function arrivesAt(number: SandboxNumber, customer: Customer, body: string) {
  return eventually(`"${body}" at the customer`, async () => {
    const thread = await ask<Thread>(admin(`chat/${number.phoneNumberId}/${customer.phone}`));
    return thread.messages.find((message) => !message.is_from_customer && message.content.body === body);
  });
}

export async function timesArrived(number: SandboxNumber, customer: Customer, body: string): Promise<number> {
  const thread = await ask<Thread>(admin(`chat/${number.phoneNumberId}/${customer.phone}`));
  return thread.messages.filter((message) => !message.is_from_customer && message.content.body === body).length;
}
