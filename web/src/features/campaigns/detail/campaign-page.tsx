import { Skeleton, Stack } from '@mantine/core';
import { useQuery } from '@tanstack/react-query';
import { getRouteApi, useNavigate } from '@tanstack/react-router';
import { Suspense } from 'react';
import { FindProblem } from '@/components/find-problem';
import { usePageTitle } from '@/components/page-title';
import { TextLink } from '@/components/text-link';
import { useOrg } from '@/features/tenancy/queries';
import { lazyPart } from '@/lib/lazy-part';
import { usePolling } from '@/lib/realtime';
import { useCampaignsLive } from '../live';
import type { RecipientStatus } from '../model';
import { detailQuery } from '../queries';
import { CampaignHeader } from './campaign-header';
import { Cards } from './cards';
import classes from './detail.module.css';
import { NotBegun } from './not-begun';
import { Progress } from './progress';

const route = getRouteApi('/_app/campaigns/$campaignId');

// The figures above are there at once; what is looked at next comes right after.
const Funnel = lazyPart(async () => (await import('./funnel')).Funnel);
const ByVariant = lazyPart(async () => (await import('./by-variant')).ByVariant);
const Failures = lazyPart(async () => (await import('./failures')).Failures);
const Lift = lazyPart(async () => (await import('./lift')).Lift);
const Links = lazyPart(async () => (await import('./links')).Links);
const Sent = lazyPart(async () => (await import('./sent')).Sent);
const RecipientsTable = lazyPart(async () => (await import('./recipients-table')).RecipientsTable);

export function CampaignPage() {
  const { campaignId } = route.useParams();
  const { q = '', status } = route.useSearch();
  const navigate = useNavigate({ from: '/campaigns/$campaignId' });
  const { orgId, can } = useOrg();
  useCampaignsLive(orgId, campaignId);
  const detail = useQuery({ ...detailQuery(orgId, campaignId), refetchInterval: usePolling() });
  usePageTitle(detail.data?.campaign.name || 'Campaign');
  if (detail.isPending)
    return (
      <Stack className={classes.page} role="status" aria-label="Loading">
        <Skeleton height={32} width={280} />
        <Skeleton height={96} />
        <Skeleton height={260} />
      </Stack>
    );
  if (detail.isError && !detail.data)
    return (
      <div className={classes.page}>
        <FindProblem
          error={detail.error}
          what="this campaign"
          onRetry={() => void detail.refetch()}
          back={<TextLink to="/campaigns">See all campaigns</TextLink>}
        />
      </div>
    );
  const { data } = detail;
  const { campaign, stats } = data;
  const began = stats.total > 0 || campaign.launched_at;
  const filter = (change: { q?: string; status?: RecipientStatus[] }) =>
    void navigate({ search: (old) => ({ ...old, ...change }), replace: true, resetScroll: false });
  return (
    <div className={classes.page}>
      <nav aria-label="Breadcrumb" className={classes.crumbs}>
        <TextLink to="/campaigns">Campaigns</TextLink>
      </nav>
      <CampaignHeader detail={data} />
      <Progress campaign={campaign} stats={stats} finishesAt={data.finishes_at} />
      {began ? (
        <>
          <Cards stats={stats} onShow={(shown) => filter({ q: undefined, status: shown })} />
          <Suspense fallback={<Skeleton height={220} radius="md" />}>
            <div className={classes.columns}>
              <Stack gap="md">
                <Funnel stats={stats} />
                <Sent variants={data.variants} />
              </Stack>
              <Stack gap="md">
                {data.variants.length > 1 && <ByVariant detail={data} />}
                {data.lift && <Lift lift={data.lift} />}
                <Failures
                  failures={data.failures}
                  excluded={data.excluded}
                  onShow={(shown) => filter({ q: undefined, status: shown })}
                />
                <Links campaignId={campaignId} clicked={stats.clicked} />
              </Stack>
            </div>
            <section aria-labelledby="recipients-title" className={classes.recipients}>
              <RecipientsTable
                campaign={campaign}
                stats={stats}
                q={q}
                status={status}
                onSearch={(text) => filter({ q: text || undefined })}
                onStatus={(shown) => filter({ status: shown })}
              />
            </section>
          </Suspense>
        </>
      ) : (
        <NotBegun campaign={campaign} mayManage={can('campaigns.manage')} />
      )}
    </div>
  );
}
