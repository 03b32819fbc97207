import type { ChildProcess } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { chownSync, existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import pg from 'pg';
import { end, freePort, run, startServer, tailOf } from './processes';
import { until } from './until';

/** `postgres` refuses to run as root, so as root it runs as the user its package made. */
function serverUser(): { uid?: number; gid?: number } {
  if (process.getuid?.() !== 0) return {};
  const columns = readFileSync('/etc/passwd', 'utf8')
    .split('\n')
    .map((line) => line.split(':'))
    .find(([name]) => name === 'postgres');
  if (!columns) throw new Error('PostgreSQL refuses to run as root and there is no user postgres');
  return { uid: Number(columns[2]), gid: Number(columns[3]) };
}

function programs(): string {
  const candidates = [
    process.env.OCTOPUSH_PG_BIN,
    '/usr/lib/postgresql/17/bin',
    '/usr/lib/postgresql/15/bin',
  ].filter((folder) => folder !== undefined);
  const found = candidates.find((folder) => existsSync(join(folder, 'initdb')));
  if (!found) throw new Error(`no PostgreSQL server in ${candidates.join(' or ')}`);
  return found;
}

/** Losing everything in a crash of the machine is fine here; a crash of the server alone loses nothing. */
const SETTINGS = [
  'wal_level=logical',
  'fsync=off',
  'full_page_writes=off',
  'max_wal_senders=20',
  'max_replication_slots=20',
  'max_connections=150',
  'log_min_messages=warning',
  // Not to come between the test of a killed server and its recovery.
  'autovacuum=off',
];

/** A throw-away Postgres cluster of its own. */
export class Cluster {
  private server: ChildProcess | undefined;

  private constructor(
    readonly home: string,
    readonly port: number,
    private readonly password: string,
  ) {}

  static async create(): Promise<Cluster> {
    const user = serverUser();
    const home = mkdtempSync('/tmp/conformance-');
    const password = randomBytes(16).toString('hex');
    const passwordFile = join(home, 'password');
    writeFileSync(passwordFile, password, { mode: 0o600 });
    if (user.uid !== undefined && user.gid !== undefined) {
      chownSync(home, user.uid, user.gid);
      chownSync(passwordFile, user.uid, user.gid);
    }
    await run(
      join(programs(), 'initdb'),
      [
        `--pgdata=${home}/data`,
        `--pwfile=${passwordFile}`,
        '--username=supabase_admin',
        '--auth=scram-sha-256',
        '--encoding=UTF8',
        '--locale=C.UTF-8',
        '--no-sync',
      ],
      { ...user, cwd: home },
    );
    rmSync(passwordFile);
    const cluster = new Cluster(home, await freePort(), password);
    await cluster.start();
    return cluster;
  }

  /** Connection string; without a role that of the superuser. */
  url(role = 'supabase_admin', password = this.password): string {
    return `postgresql://${role}:${password}@127.0.0.1:${this.port}/postgres`;
  }

  /**
   * Starts the server and waits until it takes connections. After a kill the first attempts may fail: the data directory
   * stays taken until the last backend has noticed that its parent is gone.
   */
  async start(): Promise<void> {
    await until(
      'Postgres takes connections',
      async () => {
        if (this.server === undefined || this.server.exitCode !== null || this.server.signalCode !== null) {
          this.server = this.launch();
        }
        const client = new pg.Client(this.url());
        try {
          await client.connect();
          await client.end();
          return true;
        } catch (error) {
          throw new Error(tailOf(this.log), { cause: error });
        }
      },
      30_000,
    );
  }

  private get log(): string {
    return join(this.home, 'postgres.log');
  }

  private launch(): ChildProcess {
    const settings = [...SETTINGS, `port=${this.port}`, `unix_socket_directories=${this.home}`];
    return startServer(
      join(programs(), 'postgres'),
      ['-D', join(this.home, 'data'), ...settings.flatMap((setting) => ['-c', setting])],
      this.log,
      { ...serverUser(), cwd: this.home },
    );
  }

  /** `kill -9` of the postmaster. */
  async kill(): Promise<void> {
    if (this.server) await end(this.server, 'SIGKILL');
  }

  /** Ends the server and removes everything. */
  async destroy(): Promise<void> {
    if (this.server) await end(this.server, 'SIGQUIT');
    rmSync(this.home, { recursive: true, force: true });
  }
}
