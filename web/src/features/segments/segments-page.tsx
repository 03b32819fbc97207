import { Button, CloseButton, Group, NativeSelect, Pagination, Text, TextInput } from '@mantine/core';
import { IconFilter, IconPlus, IconSearch, IconSearchOff } from '@tabler/icons-react';
import { useQuery } from '@tanstack/react-query';
import { getRouteApi, useNavigate } from '@tanstack/react-router';
import { Suspense, useEffect, useState } from 'react';
import { Hint, LoadProblem } from '@/components/problem';
import { useOrg } from '@/features/tenancy/queries';
import { lazyPart } from '@/lib/lazy-part';
import { usePolling } from '@/lib/realtime';
import { plural } from '@/lib/time';
import { foundSegments, SEGMENTS_A_PAGE, type SegmentSort, sortNames } from './list';
import { useSegmentsLive } from './live';
import { kindNames, type Segment, type SegmentKind } from './model';
import { segmentsQuery } from './queries';
import classes from './segments.module.css';
import { SegmentsTable } from './segments-table';

const route = getRouteApi('/_app/segments');

const DeleteSegment = lazyPart(async () => (await import('./delete-segment')).DeleteSegment);

export function SegmentsPage() {
  const search = route.useSearch();
  const { q = '', kind, sort = 'name', page = 1 } = search;
  const navigate = useNavigate({ from: '/segments' });
  const org = useOrg();
  const [doomed, setDoomed] = useState<Segment>();
  useSegmentsLive(org.orgId);
  const query = useQuery({ ...segmentsQuery(org.orgId), refetchInterval: usePolling() });
  const set = (change: Partial<typeof search>, replace = false) =>
    void navigate({ search: (old) => ({ ...old, ...change }), replace });
  const found = query.data && foundSegments(query.data, { q, kind, sort });
  const pages = Math.max(1, Math.ceil((found?.length ?? 0) / SEGMENTS_A_PAGE));
  const shown = Math.min(page, pages);
  const mayManage = org.can('campaigns.manage');
  const newButton = mayManage && (
    <Button
      leftSection={<IconPlus size={18} />}
      onClick={() => void navigate({ to: '/segments/new', search: {} })}
    >
      New segment
    </Button>
  );
  return (
    <div className={classes.page}>
      <Group gap="sm" mb="md">
        <SearchBox q={q} onSearch={(text) => set({ q: text || undefined, page: undefined }, true)} />
        <NativeSelect
          aria-label="Type"
          w={140}
          value={kind ?? 'any'}
          onChange={(event) => {
            const { value } = event.currentTarget;
            set({ kind: value === 'any' ? undefined : (value as SegmentKind), page: undefined });
          }}
          data={[
            { value: 'any', label: 'All types' },
            { value: 'dynamic', label: kindNames.dynamic },
            { value: 'static', label: kindNames.static },
          ]}
        />
        <NativeSelect
          aria-label="Sort by"
          w={170}
          value={sort}
          onChange={(event) => {
            const { value } = event.currentTarget;
            set({ sort: value === 'name' ? undefined : (value as SegmentSort), page: undefined });
          }}
          data={Object.entries(sortNames).map(([value, label]) => ({ value, label }))}
        />
        <Group ml="auto">{newButton}</Group>
      </Group>
      {query.isError && !query.data ? (
        <LoadProblem error={query.error} what="your segments" onRetry={() => void query.refetch()} />
      ) : query.data?.length === 0 ? (
        <Hint
          icon={<IconFilter size={28} stroke={1.5} />}
          title="Group the people you want to reach"
          action={newButton}
        >
          A segment is everybody who fits some rules, such as “tagged VIP and wrote in the last 30 days”. It
          stays up to date by itself, and tells why each person is in it.
          {!mayManage && ' An owner, an admin or a campaign manager can make the first one.'}
        </Hint>
      ) : found?.length === 0 ? (
        <Hint icon={<IconSearchOff size={28} stroke={1.5} />} title="No segment found" role="status">
          {q
            ? `No ${kind ?? ''} segment is called anything like “${q}”.`
            : `There is no ${kind} segment yet.`}
        </Hint>
      ) : (
        <>
          <SegmentsTable
            segments={found?.slice((shown - 1) * SEGMENTS_A_PAGE, shown * SEGMENTS_A_PAGE)}
            onDelete={setDoomed}
          />
          <Group justify="space-between" mt="md">
            <Text c="dimmed" role="status">
              {found ? plural(found.length, 'segment') : ''}
            </Text>
            {pages > 1 && (
              <Pagination
                total={pages}
                value={shown}
                onChange={(next) => set({ page: next === 1 ? undefined : next })}
                getControlProps={(control) => ({ 'aria-label': `${control} page` })}
                getItemProps={(number) => ({ 'aria-label': `Page ${number}` })}
              />
            )}
          </Group>
        </>
      )}
      <Suspense fallback={null}>
        {doomed && <DeleteSegment segment={doomed} onClose={() => setDoomed(undefined)} />}
      </Suspense>
    </div>
  );
}

function SearchBox({ q, onSearch }: { q: string; onSearch: (text: string) => void }) {
  const [text, setText] = useState(q);
  // The address changes by Back and links, too.
  useEffect(() => setText(q), [q]);
  const change = (next: string) => {
    setText(next);
    onSearch(next);
  };
  return (
    <TextInput
      type="search"
      aria-label="Search segments"
      placeholder="Search segments"
      w={{ base: '100%', sm: 280 }}
      leftSection={<IconSearch size={18} aria-hidden />}
      value={text}
      onChange={(event) => change(event.currentTarget.value)}
      rightSection={
        text ? <CloseButton size="sm" aria-label="Clear the search" onClick={() => change('')} /> : null
      }
    />
  );
}
