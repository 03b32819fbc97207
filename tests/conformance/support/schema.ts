import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import pg from 'pg';

const FOLDER = join(import.meta.dirname, '../schema');

/** Applies the suite's own schema as the unprivileged `postgres`, as migrations of a real project run. */
export async function applySchema(url: string): Promise<void> {
  const client = new pg.Client(url);
  await client.connect();
  try {
    for (const file of readdirSync(FOLDER).sort()) {
      try {
        await client.query(readFileSync(join(FOLDER, file), 'utf8'));
      } catch (error) {
        throw new Error(`schema/${file}`, { cause: error });
      }
    }
  } finally {
    await client.end();
  }
}
