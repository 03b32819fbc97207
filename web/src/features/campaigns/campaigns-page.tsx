import { Button, Group, Text } from '@mantine/core';
import { IconPlus, IconSearchOff, IconSend } from '@tabler/icons-react';
import { keepPreviousData, useQuery } from '@tanstack/react-query';
import { getRouteApi, useNavigate } from '@tanstack/react-router';
import { Suspense, useEffect, useState } from 'react';
import { Hint, LoadProblem } from '@/components/problem';
import { useOrg } from '@/features/tenancy/queries';
import { lazyPart } from '@/lib/lazy-part';
import { usePolling } from '@/lib/realtime';
import { plural } from '@/lib/time';
import classes from './campaigns.module.css';
import { CampaignsTable } from './campaigns-table';
import { CampaignsToolbar } from './campaigns-toolbar';
import type { CampaignsSearch } from './list-search';
import { useCampaignsLive } from './live';
import type { Campaign } from './model';
import { CAMPAIGNS_A_PAGE, campaignsQuery } from './queries';

const route = getRouteApi('/_app/campaigns');

const ConfirmDialog = lazyPart(async () => (await import('./confirm-dialog')).ConfirmDialog);

const Pages = lazyPart(async () => (await import('@/components/pages')).Pages);

const noFilters = { q: undefined, status: undefined, from: undefined, to: undefined, by: undefined };

export function CampaignsPage() {
  const search = route.useSearch();
  const { page = 1 } = search;
  const navigate = useNavigate({ from: '/campaigns' });
  const org = useOrg();
  useCampaignsLive(org.orgId);
  const [doomed, setDoomed] = useState<Campaign>();
  const set = (change: Partial<CampaignsSearch>, replace = false) =>
    void navigate({ search: (old) => ({ ...old, ...change }), replace });
  const query = useQuery({
    ...campaignsQuery(org.orgId, search),
    placeholderData: keepPreviousData,
    refetchInterval: usePolling(),
  });
  const total = query.data?.total ?? 0;
  const pages = Math.max(1, Math.ceil(total / CAMPAIGNS_A_PAGE));
  const beyond = query.isSuccess && !query.isPlaceholderData && total > 0 && page > pages;
  useEffect(() => {
    if (beyond)
      void navigate({ search: (old) => ({ ...old, page: pages === 1 ? undefined : pages }), replace: true });
  }, [beyond, pages, navigate]);
  const filtered = Boolean(search.q || search.status?.length || search.from || search.to || search.by);
  const mayManage = org.can('campaigns.manage');
  const begin = () => void navigate({ to: '/campaigns/new', search: {} });
  const newButton = mayManage && (
    <Button leftSection={<IconPlus size={18} />} onClick={begin}>
      New campaign
    </Button>
  );
  return (
    <div className={classes.page}>
      <CampaignsToolbar search={search} set={set} end={newButton} onNew={mayManage ? begin : undefined} />
      {query.isError && !query.data ? (
        <LoadProblem error={query.error} what="your campaigns" onRetry={() => void query.refetch()} />
      ) : query.isSuccess && total === 0 ? (
        filtered ? (
          <Hint
            icon={<IconSearchOff size={28} stroke={1.5} />}
            title="No campaign found"
            role="status"
            action={
              <Button variant="default" onClick={() => set({ ...noFilters, page: undefined })}>
                Clear search and filters
              </Button>
            }
          >
            No campaign fits what you are looking for.
          </Hint>
        ) : (
          <Hint icon={<IconSend size={28} stroke={1.5} />} title="Write to many at once" action={newButton}>
            A campaign sends an approved template to everybody in a segment, each person once, and shows who
            read and answered.
            {!mayManage && ' An owner, an admin or a campaign manager can make the first one.'}
          </Hint>
        )
      ) : (
        <>
          <CampaignsTable
            campaigns={query.data?.campaigns}
            stale={query.isPlaceholderData}
            onDelete={setDoomed}
          />
          <Group justify="space-between" mt="md">
            <Text c="dimmed" role="status">
              {query.data ? plural(total, 'campaign') : ''}
            </Text>
            {pages > 1 && (
              <Suspense fallback={null}>
                <Pages
                  total={pages}
                  page={page}
                  onPage={(next) => set({ page: next === 1 ? undefined : next })}
                />
              </Suspense>
            )}
          </Group>
        </>
      )}
      <Suspense fallback={null}>
        {doomed && <ConfirmDialog what="delete" campaign={doomed} onClose={() => setDoomed(undefined)} />}
      </Suspense>
    </div>
  );
}
