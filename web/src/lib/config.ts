import * as z from 'zod/mini';

const schema = z.object({
  supabaseUrl: z.url(),
  supabaseAnonKey: z.string().check(z.minLength(1)),
  /** Only in local runs: where the stand-in for WhatsApp listens. */
  sandboxUrl: z.optional(z.nullable(z.url())),
});

export type Config = z.infer<typeof schema>;

let current: Config | undefined;

/** Reads what the server that delivered the page says about the backend. One build thus runs anywhere. */
export async function loadConfig(): Promise<Config> {
  const response = await fetch('/config.json', { credentials: 'same-origin' });
  if (!response.ok) throw new Error(`/config.json answered ${response.status}`);
  current = schema.parse(await response.json());
  return current;
}

export function config(): Config {
  if (!current) throw new Error('the configuration is not loaded yet');
  return current;
}

/** The page that shows mails of a local run; a hosted backend sends real mail and has none. */
export function mailboxUrl({ supabaseUrl, sandboxUrl }: Config): string | undefined {
  return sandboxUrl ? new URL('/mailbox', supabaseUrl).href : undefined;
}
