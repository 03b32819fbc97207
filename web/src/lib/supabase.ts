import { createClient, type SupabaseClient } from '@supabase/supabase-js';
import type { Database } from '@/gen/database.types';
import type { Config } from './config';

export type Backend = SupabaseClient<Database>;

let client: Backend | undefined;

export function connectBackend({ supabaseUrl, supabaseAnonKey }: Config): Backend {
  client = createClient<Database>(supabaseUrl, supabaseAnonKey, {
    // The worker keeps heartbeats going in tabs the browser has slowed down; CSP has no room for its blob.
    realtime: { worker: false },
  });
  return client;
}

export function backend(): Backend {
  if (!client) throw new Error('the backend is not connected yet');
  return client;
}

/** Throws what the server said, so that queries and mutations fail with the code the words are chosen by. */
export async function answer<T>(request: PromiseLike<{ data: T; error: unknown }>): Promise<NonNullable<T>> {
  const { data, error } = await request;
  if (error) throw error;
  return data as NonNullable<T>;
}
