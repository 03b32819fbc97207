import { existsSync, readFileSync } from 'node:fs';
import { resolve } from 'node:path';

/** `./scripts/test` exports these; beside a running `./scripts/up` they are read from what it wrote. */
function fromLocalRun(): Record<string, string> {
  const stateDir = process.env.OCTOPUSH_STATE_DIR ?? resolve(import.meta.dirname, '../../../.octopush');
  const file = resolve(stateDir, 'local.env');
  if (!existsSync(file)) return {};
  const lines = readFileSync(file, 'utf8').split('\n');
  return Object.fromEntries(
    lines.flatMap((line) => {
      const match = /^(?:export )?([A-Z0-9_]+)=(.*)$/.exec(line.trim());
      return match ? [[match[1] ?? '', (match[2] ?? '').replace(/^(['"])(.*)\1$/, '$2')]] : [];
    }),
  );
}

const values = { ...fromLocalRun(), ...process.env };

function need(name: string): string {
  const value = values[name];
  if (!value) throw new Error(`${name} is not set: start the product with ./scripts/up, or run ./scripts/test browser`);
  return value;
}

export const environment = {
  appUrl: need('OCTOPUSH_APP_URL'),
  supabaseUrl: need('SUPABASE_URL'),
  anonKey: need('SUPABASE_ANON_KEY'),
  serviceKey: need('SUPABASE_SERVICE_ROLE_KEY'),
  sandboxUrl: need('OCTOPUSH_SANDBOX_URL'),
  workerUrl: need('OCTOPUSH_WORKER_URL'),
};
