import { Alert, NativeSelect } from '@mantine/core';
import { useQuery } from '@tanstack/react-query';
import { useEffect } from 'react';
import { useOrg } from '@/features/tenancy/queries';
import { accountName } from '@/features/whatsapp/account-state';
import { accountsQuery } from '@/features/whatsapp/queries';
import type { Campaign } from '../model';
import type { Step } from './draft';
import { NameFields } from './name-fields';
import type { CampaignDraft } from './use-campaign-draft';
import classes from './wizard.module.css';

export interface StepProps {
  draft: CampaignDraft;
  campaign: Campaign;
  /** What this step lacks, once somebody tried to go on. */
  problem: string | undefined;
  go: (step: Step) => void;
  /** Begins anew from what the database has. */
  reload: () => void;
}

export function SetupStep({ draft, problem }: StepProps) {
  const { orgId } = useOrg();
  const accounts = useQuery(accountsQuery(orgId));
  const usable = (accounts.data ?? []).filter(({ status }) => status !== 'disconnected');
  const { values, set } = draft;
  const only = usable.length === 1 ? usable[0]?.id : undefined;
  const chosen = usable.some(({ id }) => id === values.whatsapp_account_id);
  // Who has one number need not choose it; it may have been connected after the draft was begun.
  useEffect(() => {
    if (only && !chosen) set({ whatsapp_account_id: only });
  }, [only, chosen, set]);
  return (
    <div className={classes.narrow}>
      <NameFields values={values} onChange={set} asked={problem !== undefined} />
      {usable.length > 1 && (
        <NativeSelect
          label="Send from"
          description="The number people see, and answer to."
          size="md"
          value={values.whatsapp_account_id ?? ''}
          onChange={(event) => set({ whatsapp_account_id: event.currentTarget.value || null })}
          error={problem && values.name.trim() && !chosen ? problem : undefined}
          data={[
            { value: '', label: 'Choose a number' },
            ...usable.map((account) => ({
              value: account.id,
              label: `${accountName(account)}${account.display_phone_number ? ` · ${account.display_phone_number}` : ''}`,
            })),
          ]}
        />
      )}
      {accounts.data && usable.length === 0 && (
        <Alert color="yellow" variant="light">
          No WhatsApp number is connected yet. You can prepare the campaign, and send it once one is.
        </Alert>
      )}
    </div>
  );
}
