import { queryOptions } from '@tanstack/react-query';
import { answer, backend } from '@/lib/supabase';

export interface WhatsAppAccount {
  id: string;
  waba_id: string;
  phone_number_id: string;
  display_phone_number: string | null;
  verified_name: string | null;
  status: string;
  status_reason: string | null;
  quality_rating: string;
  messaging_tier: string | null;
}

export function accountsQuery(orgId: string) {
  return queryOptions({
    queryKey: ['org', orgId, 'whatsapp-accounts'],
    staleTime: 60_000,
    queryFn: (): Promise<WhatsAppAccount[]> =>
      answer(
        backend()
          .from('whatsapp_accounts')
          .select(
            'id, waba_id, phone_number_id, display_phone_number, verified_name, status, status_reason, quality_rating, messaging_tier',
          )
          .eq('org_id', orgId)
          .order('created_at'),
      ),
  });
}
