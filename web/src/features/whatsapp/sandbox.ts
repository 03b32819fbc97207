import { queryOptions } from '@tanstack/react-query';
import * as z from 'zod/mini';
import { config } from '@/lib/config';

const schema = z.object({
  accounts: z.array(
    z.object({
      waba_id: z.string(),
      phone_number_id: z.string(),
      display_phone_number: z.string(),
      verified_name: z.string(),
      tokens: z.array(z.string()),
    }),
  ),
});

export interface SandboxAccount {
  wabaId: string;
  phoneNumberId: string;
  accessToken: string;
  label: string;
}

/** The numbers of the stand-in for WhatsApp that local runs come with; none elsewhere. */
export function sandboxQuery() {
  const { sandboxUrl } = config();
  return queryOptions({
    queryKey: ['sandbox', sandboxUrl],
    enabled: Boolean(sandboxUrl),
    queryFn: async (): Promise<SandboxAccount[]> => {
      const response = await fetch(new URL('/admin/accounts', sandboxUrl ?? ''));
      if (!response.ok) throw new Error(`the sandbox answered ${response.status}`);
      const { accounts } = schema.parse(await response.json());
      return accounts.flatMap((account) => {
        const [accessToken] = account.tokens;
        if (!accessToken) return [];
        return {
          wabaId: account.waba_id,
          phoneNumberId: account.phone_number_id,
          accessToken,
          label: `${account.verified_name} · ${account.display_phone_number}`,
        };
      });
    },
  });
}
