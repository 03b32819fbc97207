import { Button } from '@mantine/core';
import { IconBrandWhatsapp } from '@tabler/icons-react';
import { useQuery } from '@tanstack/react-query';
import { useNavigate } from '@tanstack/react-router';
import type { ReactNode } from 'react';
import { Hint } from '@/components/problem';
import { useOrg } from '@/features/tenancy/queries';
import { accountsQuery } from './queries';

/** The first step of every new organisation; `otherwise` shows once a number is there. */
export function NoNumberYet({ otherwise }: { otherwise: ReactNode }) {
  const org = useOrg();
  const accounts = useQuery(accountsQuery(org.orgId));
  const navigate = useNavigate();
  if (!accounts.data || accounts.data.some((account) => account.status !== 'disconnected')) return otherwise;
  return (
    <Hint
      icon={<IconBrandWhatsapp size={28} stroke={1.5} />}
      title="Connect your WhatsApp number"
      action={
        org.can('settings.manage') && (
          <Button
            onClick={() => void navigate({ to: '/settings/$section', params: { section: 'whatsapp' } })}
          >
            Connect a number
          </Button>
        )
      }
    >
      {org.can('settings.manage')
        ? 'Then your customers’ messages appear here, and your team can answer them together.'
        : 'An owner or admin of your organisation can do this in Settings.'}
    </Hint>
  );
}
