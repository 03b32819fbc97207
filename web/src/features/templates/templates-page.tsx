import { Button, Group, Skeleton, Text } from '@mantine/core';
import { IconPlus, IconRefresh, IconSearchOff, IconTemplate } from '@tabler/icons-react';
import { keepPreviousData, useMutation, useQuery } from '@tanstack/react-query';
import { getRouteApi, useNavigate } from '@tanstack/react-router';
import { Suspense } from 'react';
import { Hint, LoadProblem } from '@/components/problem';
import { useOrg } from '@/features/tenancy/queries';
import { lazyPart } from '@/lib/lazy-part';
import { usePolling } from '@/lib/realtime';
import { tellDone, tellProblem } from '@/lib/tell';
import { plural } from '@/lib/time';
import { askedOf, ENOUGH_SENDS, filterNames, TEMPLATES_A_PAGE, type TemplatesSearch } from './list-search';
import { useTemplatesLive } from './live';
import { syncTemplates, templatesQuery } from './queries';
import classes from './templates.module.css';
import { TemplatesGrid } from './templates-grid';
import { TemplatesToolbar } from './templates-toolbar';

const route = getRouteApi('/_app/templates');

// Each only where it is looked at.
const TemplatesTable = lazyPart(async () => (await import('./templates-table')).TemplatesTable);
const Pages = lazyPart(async () => (await import('@/components/pages')).Pages);

const filters = ['q', ...filterNames] as const;

export function TemplatesPage() {
  const search = route.useSearch();
  const { page = 1, view = 'grid' } = search;
  const navigate = useNavigate({ from: '/templates' });
  const org = useOrg();
  useTemplatesLive(org.orgId);
  const query = useQuery({
    ...templatesQuery(org.orgId, askedOf(search)),
    placeholderData: keepPreviousData,
    refetchInterval: usePolling(),
  });
  const set = (change: Partial<TemplatesSearch>, replace = false) =>
    void navigate({
      search: (old) => ({ ...old, page: undefined, ...change }),
      replace,
      resetScroll: false,
    });
  const mayManage = org.can('campaigns.manage');
  const isFiltered = filters.some((filter) => search[filter] !== undefined);
  const total = query.data?.total ?? 0;
  const pages = search.top ? 1 : Math.max(1, Math.ceil(total / TEMPLATES_A_PAGE));
  // The best read come first, those sent too seldom to say last.
  const shown = search.top
    ? query.data?.templates.filter((template) => typeof template.read_rate === 'number')
    : query.data?.templates;
  const newButton = mayManage && (
    <Button
      leftSection={<IconPlus size={18} />}
      onClick={() => void navigate({ to: '/templates/new', search: {} })}
    >
      New template
    </Button>
  );
  return (
    <div className={classes.page}>
      <TemplatesToolbar search={search} set={set}>
        {mayManage && <SyncButton orgId={org.orgId} />}
        {newButton}
      </TemplatesToolbar>
      {query.isError && !query.data ? (
        <LoadProblem error={query.error} what="your templates" onRetry={() => void query.refetch()} />
      ) : shown?.length === 0 && !isFiltered && page === 1 ? (
        <Hint
          icon={<IconTemplate size={28} stroke={1.5} />}
          title="Write first, with words Meta has approved"
          action={newButton}
        >
          A template is what you may send when a customer hasn’t written for 24 hours, and what campaigns are
          made of. Meta looks at each one, mostly within minutes.
          {!mayManage && ' An owner, an admin or a campaign manager can make the first one.'}
        </Hint>
      ) : shown?.length === 0 ? (
        <NothingFound
          search={search}
          onClear={() => void navigate({ search: { view: search.view, sort: search.sort } })}
        />
      ) : (
        <>
          {view === 'table' ? (
            <Suspense fallback={<Skeleton height={420} radius={12} />}>
              <TemplatesTable templates={shown} />
            </Suspense>
          ) : (
            <TemplatesGrid templates={shown} />
          )}
          <Group justify="space-between" mt="md">
            <Text c="dimmed" role="status">
              {query.data && shown ? totalWords(shown.length, total, search.top) : ''}
            </Text>
            {pages > 1 && (
              <Suspense fallback={null}>
                <Pages
                  total={pages}
                  page={Math.min(page, pages)}
                  onPage={(next) =>
                    void navigate({ search: (old) => ({ ...old, page: next === 1 ? undefined : next }) })
                  }
                />
              </Suspense>
            )}
          </Group>
        </>
      )}
    </div>
  );
}

const totalWords = (shown: number, total: number, top = false) =>
  top
    ? `The ${shown === 1 ? 'best read' : `${shown} best read`} of ${plural(total, 'template')}`
    : plural(total, 'template');

function NothingFound({ search, onClear }: { search: TemplatesSearch; onClear: () => void }) {
  return (
    <Hint
      icon={<IconSearchOff size={28} stroke={1.5} />}
      title="No template found"
      role="status"
      action={
        <Button variant="default" onClick={onClear}>
          Show all templates
        </Button>
      }
    >
      {search.top
        ? `None was sent ${ENOUGH_SENDS} times yet, so there is nothing to compare.`
        : 'No template fits what you look for.'}
    </Hint>
  );
}

/** Templates made or changed in WhatsApp Manager arrive by themselves within the hour; this asks now. */
function SyncButton({ orgId }: { orgId: string }) {
  const sync = useMutation({
    mutationFn: () => syncTemplates(orgId),
    onSuccess: () => tellDone('We’re asking Meta for its list. Changes appear here in a moment.'),
    onError: tellProblem,
  });
  return (
    <Button
      variant="default"
      leftSection={<IconRefresh size={18} />}
      loading={sync.isPending}
      onClick={() => sync.mutate()}
    >
      Sync with Meta
    </Button>
  );
}
