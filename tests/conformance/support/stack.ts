import type { ChildProcess } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { existsSync, mkdirSync } from 'node:fs';
import { join, resolve } from 'node:path';
import pg from 'pg';
import { Cluster } from './cluster';
import { end, freePort, run, startServer, tailOf } from './processes';
import { applySchema } from './schema';
import { projectKey } from './tokens';
import { until } from './until';

/** What a test needs to know of a running stack; plain data, so that it can cross to the test workers. */
export interface StackAddress {
  url: string;
  databaseUrl: string;
  anonKey: string;
  serviceRoleKey: string;
  publishableKey: string;
  secretKey: string;
  jwtSecret: string;
}

/** Where links in mails may return to. Nothing listens there. */
export const SITE_URL = 'http://127.0.0.1:9';
export const OTHER_SITE_URL = 'http://app.conformance.test';

/** Sign-in attempts one e-mail address has before 429; low, so that a test can use them up. */
export const SIGN_IN_ATTEMPTS = 10;
/** Seconds a refresh token may be used again; short, so that a test can wait it out in the database's past. */
export const REUSE_INTERVAL_SECONDS = 10;
/** Seconds between two mails to one user. */
export const MAIL_INTERVAL_SECONDS = 60;
export const OTP_EXPIRY_SECONDS = 3600;
export const JWT_EXPIRY_SECONDS = 3600;
/** Presence calls a channel may make in its window before it is closed; tests track and untrack more than users do. */
const PRESENCE_CALLS = 100;

function embeddedBinary(): string {
  const folder = process.env.OCTOPUSH_BIN_DIR ?? resolve(import.meta.dirname, '../../../target/release');
  const path = process.env.OCTOPUSH_EMBEDDED_BIN ?? join(folder, 'supabase-embedded');
  if (!existsSync(path)) {
    throw new Error(`${path} is missing: cargo build --release -p supabase-embedded`);
  }
  return path;
}

/** The environment without settings of another stack, which whoever runs the tests may have. */
function ownEnvironment(settings: Record<string, string>): NodeJS.ProcessEnv {
  const inherited = Object.entries(process.env).filter(([name]) => !name.startsWith('SUPABASE_'));
  return { ...Object.fromEntries(inherited), ...settings };
}

/** A whole embedded stack over a cluster of its own. */
export class Stack {
  private server: ChildProcess | undefined;

  private constructor(
    readonly cluster: Cluster,
    readonly address: StackAddress,
    private readonly environment: Record<string, string>,
  ) {}

  static async start(): Promise<Stack> {
    const cluster = await Cluster.create();
    try {
      const stack = await Stack.over(cluster);
      await stack.serve();
      return stack;
    } catch (error) {
      await cluster.destroy();
      throw error;
    }
  }

  private static async over(cluster: Cluster): Promise<Stack> {
    const passwords = {
      SUPABASE_POSTGRES_PASSWORD: randomBytes(16).toString('hex'),
      SUPABASE_AUTHENTICATOR_PASSWORD: randomBytes(16).toString('hex'),
    };
    await run(embeddedBinary(), ['bootstrap'], {
      env: ownEnvironment({ ...passwords, SUPABASE_DB_URL: cluster.url() }),
    });
    await applySchema(cluster.url('postgres', passwords.SUPABASE_POSTGRES_PASSWORD));

    const port = await freePort();
    const jwtSecret = randomBytes(32).toString('hex');
    const address: StackAddress = {
      url: `http://127.0.0.1:${port}`,
      databaseUrl: cluster.url(),
      anonKey: projectKey('anon', jwtSecret),
      serviceRoleKey: projectKey('service_role', jwtSecret),
      publishableKey: `sb_publishable_${randomBytes(16).toString('hex')}`,
      secretKey: `sb_secret_${randomBytes(16).toString('hex')}`,
      jwtSecret,
    };
    const storage = join(cluster.home, 'storage');
    mkdirSync(storage);
    return new Stack(cluster, address, {
      ...passwords,
      SUPABASE_LISTEN: `127.0.0.1:${port}`,
      SUPABASE_DB_URL: cluster.url(),
      SUPABASE_URL: address.url,
      SUPABASE_JWT_SECRET: jwtSecret,
      SUPABASE_ANON_KEY: address.anonKey,
      SUPABASE_SERVICE_ROLE_KEY: address.serviceRoleKey,
      SUPABASE_PUBLISHABLE_KEY: address.publishableKey,
      SUPABASE_SECRET_KEY: address.secretKey,
      SUPABASE_SITE_URL: SITE_URL,
      SUPABASE_REDIRECT_ORIGINS: OTHER_SITE_URL,
      SUPABASE_STORAGE_DIR: storage,
      SUPABASE_JWT_EXPIRY: String(JWT_EXPIRY_SECONDS),
      SUPABASE_OTP_EXPIRY: String(OTP_EXPIRY_SECONDS),
      SUPABASE_REFRESH_TOKEN_REUSE_INTERVAL: String(REUSE_INTERVAL_SECONDS),
      SUPABASE_MAIL_INTERVAL_SECONDS: String(MAIL_INTERVAL_SECONDS),
      SUPABASE_SIGN_IN_LIMIT_PER_EMAIL: String(SIGN_IN_ATTEMPTS),
      // Every test comes from one address.
      SUPABASE_SIGN_IN_LIMIT_PER_IP: '100000',
      SUPABASE_OTP_LIMIT_PER_IP: '100000',
      SUPABASE_REALTIME_MAX_PRESENCE_CALLS: String(PRESENCE_CALLS),
    });
  }

  /** Starts the server, again if it was killed, and waits until it answers over the database. */
  async serve(): Promise<void> {
    const log = join(this.cluster.home, 'supabase.log');
    const server = startServer(embeddedBinary(), ['serve'], log, {
      env: ownEnvironment(this.environment),
    });
    this.server = server;
    await until(
      'the embedded stack answers',
      async () => {
        if (server.exitCode !== null) throw new Error(tailOf(log));
        return isReady(this.address);
      },
      30_000,
    );
  }

  /** `kill -9` of the embedded server; Postgres stays. */
  async killServer(): Promise<void> {
    if (this.server) await end(this.server, 'SIGKILL');
  }

  async stop(): Promise<void> {
    if (this.server) await end(this.server, 'SIGTERM');
    await this.cluster.destroy();
  }
}

/** Whether REST has read its schema, which says that the database is reached too. */
export async function isReady({ url, anonKey }: StackAddress): Promise<boolean> {
  const response = await fetch(`${url}/rest/v1/countries?limit=1`, { headers: { apikey: anonKey } });
  return response.status === 200;
}

/** Runs SQL as the superuser. */
export async function withDatabase<T>(
  { databaseUrl }: Pick<StackAddress, 'databaseUrl'>,
  work: (client: pg.Client) => Promise<T>,
): Promise<T> {
  const client = new pg.Client(databaseUrl);
  await client.connect();
  try {
    return await work(client);
  } finally {
    await client.end();
  }
}
