import { Alert, Button, Progress, Skeleton, Stack, Text, Title } from '@mantine/core';
import { IconHourglass } from '@tabler/icons-react';
import { keepPreviousData, useQuery } from '@tanstack/react-query';
import { Suspense, useState } from 'react';
import { Problem } from '@/components/problem';
import { useOrg } from '@/features/tenancy/queries';
import { lazyPart } from '@/lib/lazy-part';
import { count, plural } from '@/lib/time';
import type { Campaign, AudienceSize as Size } from '../model';
import { audienceQuery } from '../queries';
import { excludedTotal, exclusionWords, reasonShort } from '../words';
import type { CampaignDraft } from './use-campaign-draft';
import classes from './wizard.module.css';

const ExclusionsDrawer = lazyPart(async () => (await import('./exclusions-drawer')).ExclusionsDrawer);

/** How many will receive it, who is left out and why, and whether the messaging limit is in the way. */
export function AudienceSize({ draft, campaign }: { draft: CampaignDraft; campaign: Campaign }) {
  const { orgId } = useOrg();
  const [open, setOpen] = useState(false);
  const chosen = draft.values.audience !== null;
  const size = useQuery({
    ...audienceQuery(orgId, campaign.id, draft.version),
    enabled: chosen && draft.state === 'saved',
    placeholderData: keepPreviousData,
  });
  if (!chosen)
    return (
      <div className={classes.panel}>
        <Text c="dimmed">Choose an audience to see how many people that is.</Text>
      </div>
    );
  if (size.isError && !size.data) return <Problem error={size.error} onRetry={() => void size.refetch()} />;
  if (!size.data)
    return (
      <div className={classes.panel} role="status" aria-label="Counting">
        <Skeleton height={28} width={180} />
        <Skeleton height={14} />
      </div>
    );
  const { recipients, excluded, tier } = size.data;
  const out = excludedTotal(excluded);
  return (
    <div className={classes.panel} data-stale={size.isFetching || draft.state !== 'saved' || undefined}>
      <div role="status">
        <Title order={3} fz={24}>
          {plural(recipients, 'contact')}
        </Title>
        <Text>will receive this campaign</Text>
      </div>
      {out > 0 ? (
        <>
          <Text size="sm" fw={600} mt={4}>
            {plural(out, 'contact')} left out
          </Text>
          <ul className={classes.reasons} aria-label={exclusionWords(excluded)}>
            {Object.entries(excluded)
              .filter(([, people]) => people > 0)
              .sort((a, b) => b[1] - a[1])
              .map(([reason, people]) => (
                <li key={reason}>
                  <span>{reasonShort(reason)}</span>
                  <span className={classes.figure}>{count(people)}</span>
                </li>
              ))}
          </ul>
          <Button variant="default" size="xs" onClick={() => setOpen(true)}>
            See who and why
          </Button>
        </>
      ) : (
        <Text size="sm" c="dimmed">
          Nobody is left out.
        </Text>
      )}
      <TierLine tier={tier} recipients={recipients} />
      <Suspense fallback={null}>
        {open && (
          <ExclusionsDrawer
            campaignId={campaign.id}
            version={draft.version}
            excluded={excluded}
            onClose={() => setOpen(false)}
          />
        )}
      </Suspense>
    </div>
  );
}

export function TierLine({ tier, recipients }: { tier: Size['tier']; recipients: number }) {
  // Without a limit, or without one that Meta has told us.
  if (!tier?.limit) return null;
  const { limit, used } = tier;
  const free = Math.max(0, limit - used);
  return (
    <Stack gap={6} mt={4}>
      <Progress
        value={Math.min(100, (used / limit) * 100)}
        color={recipients > free ? 'yellow' : 'gray'}
        aria-label="Messaging limit used"
      />
      <Text size="sm" c="dimmed">
        {count(used)} / {count(limit)} messages used (24-hour window)
      </Text>
      {recipients > free && (
        <Alert color="yellow" variant="light" icon={<IconHourglass aria-hidden />}>
          Only {count(free)} can be sent within your messaging limit now. The other {count(recipients - free)}{' '}
          wait and go out by themselves as room comes.
        </Alert>
      )}
    </Stack>
  );
}
