import type { SupabaseClient } from '@supabase/supabase-js';
import type * as z from 'zod/mini';
import { answer, backend } from '@/lib/supabase';

/** The functions of docs/templates-and-campaigns.md; their answers are JSON, which schemas read at this edge. */
type FunctionName =
  | 'create_template'
  | 'update_template'
  | 'submit_template'
  | 'duplicate_template'
  | 'delete_template'
  | 'sync_templates'
  | 'check_template'
  | 'list_templates'
  | 'template_analytics'
  | 'template_variables'
  | 'preview_template';

export const untyped = () => backend() as unknown as SupabaseClient;

export async function call<T extends z.ZodMiniType>(
  schema: T,
  name: FunctionName,
  parameters: Record<string, unknown>,
  signal?: AbortSignal,
): Promise<z.infer<T>> {
  const request = untyped().rpc(name, parameters);
  return schema.parse(await answer(signal ? request.abortSignal(signal) : request));
}

/** For functions that answer nothing. */
export async function tell(name: FunctionName, parameters: Record<string, unknown>): Promise<void> {
  const { error } = await untyped().rpc(name, parameters);
  if (error) throw error;
}
