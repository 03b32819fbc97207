import type { Page } from '@playwright/test';
import { environment } from './environment';
import { ask, eventually } from './requests';
import { addNumber, type SandboxNumber } from './sandbox';

const { supabaseUrl, anonKey, serviceKey } = environment;

export interface Person {
  id: string;
  email: string;
  password: string;
  name: string;
}

let people = 0;
export const newAddress = (name: string) => `${name.toLowerCase()}.${Date.now()}.${++people}@example.com`;

export const PASSWORD = 'Kestrel-Lantern-77';

/** Somebody whose address is confirmed already: only the sign-up journey itself goes through the mail. */
export async function newPerson(name: string): Promise<Person> {
  const email = newAddress(name.split(' ')[0] ?? name);
  const user = await ask<{ id: string }>(`${supabaseUrl}/auth/v1/admin/users`, {
    headers: { apikey: serviceKey, authorization: `Bearer ${serviceKey}` },
    body: { email, password: PASSWORD, email_confirm: true },
  });
  return { id: user.id, email, password: PASSWORD, name };
}

/** Tokens by address: signing in for each call would meet the limit of sign-ins a minute. They outlast a whole run. */
const tokens = new Map<string, Promise<string>>();

export function tokenOf({ email, password }: Person): Promise<string> {
  const kept = tokens.get(email);
  if (kept) return kept;
  const asked = ask<{ access_token: string }>(`${supabaseUrl}/auth/v1/token?grant_type=password`, {
    headers: { apikey: anonKey },
    body: { email, password },
  }).then((session) => session.access_token);
  tokens.set(email, asked);
  asked.catch(() => tokens.delete(email));
  return asked;
}

/** Calls a function of the database as a person, the way the UI does. */
export async function callAs<T>(person: Person, rpc: string, parameters: Record<string, unknown>): Promise<T> {
  return ask<T>(`${supabaseUrl}/rest/v1/rpc/${rpc}`, {
    headers: { apikey: anonKey, authorization: `Bearer ${await tokenOf(person)}` },
    body: parameters,
  });
}

export interface Team {
  owner: Person;
  orgId: string;
  orgName: string;
  number: SandboxNumber;
}

/** An organisation with an owner and a connected number of its own. */
export async function newTeam(orgName: string): Promise<Team> {
  const owner = await newPerson('Priya Raman');
  const orgId = await callAs<string>(owner, 'complete_onboarding', { p_full_name: owner.name, p_org_name: orgName });
  const number = await addNumber(orgName);
  await callAs(owner, 'connect_whatsapp_account', {
    p_org_id: orgId,
    p_waba_id: number.wabaId,
    p_phone_number_id: number.phoneNumberId,
    p_access_token: number.token,
  });
  await eventually(`the number of ${orgName} to be connected`, async () => {
    const [account] = await ask<{ status: string }[]>(
      `${supabaseUrl}/rest/v1/whatsapp_accounts?select=status&org_id=eq.${orgId}`,
      { headers: { apikey: serviceKey, authorization: `Bearer ${serviceKey}` } },
    );
    return account?.status === 'connected' ? true : undefined;
  });
  return { owner, orgId, orgName, number };
}

export async function joinTeam(team: Team, name: string, role: string): Promise<Person> {
  const person = await newPerson(name);
  const [invitation] = await callAs<{ token: string }[]>(team.owner, 'invite_member', {
    p_org_id: team.orgId,
    p_email: person.email,
    p_role: role,
  });
  await callAs(person, 'accept_invitation', { p_token: invitation?.token });
  await callAs(person, 'update_profile', { p_full_name: name });
  return person;
}

export async function signIn(page: Page, person: Person, path = '/dashboard'): Promise<void> {
  await page.goto(`/sign-in?next=${encodeURIComponent(path)}`);
  await page.getByLabel('E-mail').fill(person.email);
  await page.getByLabel('Password', { exact: true }).fill(person.password);
  await page.getByRole('button', { name: 'Sign in' }).click();
  await page.getByRole('heading', { name: 'Welcome back' }).waitFor({ state: 'hidden' });
}
