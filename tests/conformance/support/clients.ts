import { randomBytes } from 'node:crypto';
import {
  createClient as create2109,
  type SupabaseClient,
  type SupabaseClientOptions,
} from 'supabase-js-2109';
import { createClient as createLatest } from 'supabase-js-latest';
import { describe, expect, inject, onTestFinished } from 'vitest';
import ws from 'ws';
import type { StackAddress } from './stack';

export type Client = SupabaseClient;
type Options = SupabaseClientOptions<'public'>;
type CreateClient = (url: string, key: string, options?: Options) => Client;

/** One published version of supabase-js, as it came from the registry. */
export interface Library {
  version: string;
  create: CreateClient;
}

export const LIBRARIES: Library[] = [
  { version: '2.109.0', create: create2109 as CreateClient },
  // Typed by its own declarations, which differ only in what this suite does not use.
  { version: '2.119.1', create: createLatest as unknown as CreateClient },
];

/** Declares the same tests for each version of supabase-js. */
export function eachLibrary(declare: (library: Library) => void): void {
  describe.each(LIBRARIES)('supabase-js $version', declare);
}

/** Nothing is kept between clients and no timers outlive a test, unless the test asks for it. */
export function plainOptions(options: Options = {}): Options {
  return {
    ...options,
    auth: { persistSession: false, autoRefreshToken: false, detectSessionInUrl: false, ...options.auth },
    realtime: { transport: ws as never, ...options.realtime },
  };
}

function client(library: Library, key: string, options: Options | undefined, stack: StackAddress): Client {
  return library.create(stack.url, key, plainOptions(options));
}

/** A caller who is not signed in. */
export function visitor(library: Library, options?: Options, stack = inject('stack')): Client {
  return client(library, stack.anonKey, options, stack);
}

/** A trusted server. */
export function service(library: Library, options?: Options, stack = inject('stack')): Client {
  return client(library, stack.serviceRoleKey, options, stack);
}

export interface Member {
  client: Client;
  id: string;
  email: string;
}

export interface Account extends Member {
  password: string;
}

/** An address nobody has used. */
export function freshEmail(): string {
  return `user-${randomBytes(8).toString('hex')}@conformance.test`;
}

/** A password that meets every rule. */
export const PASSWORD = 'correct-horse-7';

/** A confirmed user who is not signed in yet. */
export async function registered(
  library: Library,
  options?: Options,
  stack = inject('stack'),
): Promise<Account> {
  const email = freshEmail();
  const { data, error } = await service(library, {}, stack).auth.admin.createUser({
    email,
    password: PASSWORD,
    email_confirm: true,
  });
  if (error) throw error;
  return { client: visitor(library, options, stack), id: data.user.id, email, password: PASSWORD };
}

/** A confirmed user with a session that was opened by a link: the quickest way, as no password is hashed. */
export async function signedIn(
  library: Library,
  options?: Options,
  stack = inject('stack'),
): Promise<Member> {
  const email = freshEmail();
  const { admin } = service(library, {}, stack).auth;
  const created = await admin.createUser({ email, email_confirm: true });
  if (created.error) throw created.error;
  const link = await admin.generateLink({ type: 'magiclink', email });
  if (link.error) throw link.error;
  const client = visitor(library, options, stack);
  const { error } = await client.auth.verifyOtp({
    type: 'magiclink',
    token_hash: link.data.properties.hashed_token,
  });
  if (error) throw error;
  return { client, id: created.data.user.id, email };
}

/** A confirmed user with a session and a password. */
export async function signedInByPassword(
  library: Library,
  options?: Options,
  stack = inject('stack'),
): Promise<Account> {
  const account = await registered(library, options, stack);
  const { error } = await account.client.auth.signInWithPassword(account);
  if (error) throw error;
  return account;
}

/** The access token of a signed-in client. */
export async function accessToken({ client }: Pick<Member, 'client'>): Promise<string> {
  const { data, error } = await client.auth.getSession();
  if (error) throw error;
  if (!data.session) throw new Error('not signed in');
  return data.session.access_token;
}

/** Closes the sockets of a client when the test ends, whatever its outcome. */
export function closeAfterTest(client: Client): Client {
  onTestFinished(async () => {
    await client.removeAllChannels();
    await client.realtime.disconnect();
  });
  return client;
}

/** A team with this account as its only member. */
export async function newTeam({ client }: Pick<Member, 'client'>, name = 'a team'): Promise<string> {
  const { data, error } = await client.from('teams').insert({ name }).select('id').single();
  expect(error).toBeNull();
  return (data as { id: string }).id;
}
