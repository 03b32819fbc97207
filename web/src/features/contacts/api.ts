import type { SupabaseClient } from '@supabase/supabase-js';
import { answer, backend } from '@/lib/supabase';

/**
 * Calls a function whose answer is JSON. The generated types know no shape for it; the caller names the one of
 * docs/contacts-and-segments.md.
 */
export function call<T>(name: string, parameters: Record<string, unknown>): Promise<T> {
  const client = backend() as unknown as SupabaseClient;
  return answer(client.rpc(name, parameters) as PromiseLike<{ data: T; error: unknown }>) as Promise<T>;
}

export const table = (name: string) => (backend() as unknown as SupabaseClient).from(name);
