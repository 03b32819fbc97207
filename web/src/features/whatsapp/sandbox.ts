import { queryOptions } from '@tanstack/react-query';
import * as z from 'zod/mini';
import { config } from '@/lib/config';

const schema = z.array(
  z.object({
    waba_id: z.coerce.string(),
    phone_number_id: z.coerce.string(),
    access_token: z.string(),
    display_phone_number: z.optional(z.string()),
    verified_name: z.optional(z.string()),
  }),
);

export type SandboxAccount = z.infer<typeof schema>[number];

/** The numbers of the stand-in for WhatsApp that local runs come with; none elsewhere. */
export function sandboxQuery() {
  const { sandboxUrl } = config();
  return queryOptions({
    queryKey: ['sandbox', sandboxUrl],
    enabled: Boolean(sandboxUrl),
    queryFn: async () => {
      const response = await fetch(new URL('/admin/accounts', sandboxUrl ?? ''));
      if (!response.ok) throw new Error(`the sandbox answered ${response.status}`);
      const body: unknown = await response.json();
      const list = Array.isArray(body) ? body : (body as { accounts?: unknown }).accounts;
      return schema.parse(list);
    },
  });
}
