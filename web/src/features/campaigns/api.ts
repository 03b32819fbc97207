import type { SupabaseClient } from '@supabase/supabase-js';
import type * as z from 'zod/mini';
import { answer, backend } from '@/lib/supabase';

/** Calls a function of docs/templates-and-campaigns.md and checks that its answer has the shape written there. */
export async function ask<T extends z.ZodMiniType>(
  name: string,
  parameters: Record<string, unknown>,
  shape: T,
  signal?: AbortSignal,
): Promise<z.output<T>> {
  const request = (backend() as unknown as SupabaseClient).rpc(name, parameters);
  const { data, error } = await (signal ? request.abortSignal(signal) : request);
  if (error) throw error;
  return shape.parse(data) as z.output<T>;
}

/** A function whose answer nobody needs. */
export async function tell(name: string, parameters: Record<string, unknown>): Promise<void> {
  const { error } = await (backend() as unknown as SupabaseClient).rpc(name, parameters);
  if (error) throw error;
}

/** Rows of a table or view, read under row-level security. */
export const rowsOf = async <T>(request: PromiseLike<{ data: unknown; error: unknown }>): Promise<T> =>
  (await answer(request)) as T;

export const table = (name: string) => (backend() as unknown as SupabaseClient).from(name);
