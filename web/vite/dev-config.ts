import { existsSync, readFileSync } from 'node:fs';
import { resolve } from 'node:path';
import type { Plugin } from 'vite';

function localEnvironment(): Record<string, string> {
  const stateDir = process.env.OCTOPUSH_STATE_DIR ?? resolve(import.meta.dirname, '../../.octopush');
  const file = resolve(stateDir, 'local.env');
  if (!existsSync(file)) return {};
  const entries = readFileSync(file, 'utf8')
    .split('\n')
    .map((line) => /^(?:export )?([A-Z0-9_]+)=(.*)$/.exec(line.trim()))
    .filter((match) => match !== null)
    .map((match) => [match[1] ?? '', (match[2] ?? '').replace(/^(['"])(.*)\1$/, '$2')]);
  return Object.fromEntries(entries);
}

/** Answers `/config.json` in `vite dev` and `vite preview` as `octopush web` does in a real run. */
export function devConfig(): Plugin {
  const answer = () => {
    const env = { ...localEnvironment(), ...process.env };
    return JSON.stringify({
      supabaseUrl: env.SUPABASE_URL,
      supabaseAnonKey: env.SUPABASE_ANON_KEY,
      sandboxUrl: env.OCTOPUSH_SANDBOX_URL,
    });
  };
  return {
    name: 'octopush-dev-config',
    configureServer(server) {
      server.middlewares.use('/config.json', (_request, response) => {
        response.setHeader('content-type', 'application/json');
        response.end(answer());
      });
    },
    configurePreviewServer(server) {
      server.middlewares.use('/config.json', (_request, response) => {
        response.setHeader('content-type', 'application/json');
        response.end(answer());
      });
    },
  };
}
