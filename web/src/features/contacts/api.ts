import type { SupabaseClient } from '@supabase/supabase-js';
import type { Database } from '@/gen/database.types';
import { answer, backend } from '@/lib/supabase';

type Schema = Database['public'];
export type FunctionName = keyof Schema['Functions'];

/**
 * Calls a function whose answer is JSON. The generated types know that it exists and no shape for its answer; the
 * caller names the one of docs/contacts-and-segments.md.
 */
export function call<T>(name: FunctionName, parameters: Record<string, unknown>): Promise<T> {
  const client = backend() as unknown as SupabaseClient;
  return answer(client.rpc(name, parameters) as PromiseLike<{ data: T; error: unknown }>) as Promise<T>;
}

/** For rows whose text columns our own types know better, as a job's status or a field's type. */
export const table = (name: keyof Schema['Tables'] | keyof Schema['Views']) =>
  (backend() as unknown as SupabaseClient).from(name);
