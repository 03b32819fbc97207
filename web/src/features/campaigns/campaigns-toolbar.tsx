import { Button, NativeSelect } from '@mantine/core';
import { IconCalendar } from '@tabler/icons-react';
import type { ReactNode } from 'react';
import { type Chip, FilterChips } from '@/components/filter-chips';
import { LateMenu } from '@/components/late-menu';
import { SearchBox } from '@/components/search-box';
import { useMembers } from '@/features/tenancy/queries';
import { lazyPart } from '@/lib/lazy-part';
import { longDate } from '@/lib/time';
import { useShortcuts } from '@/shell/shortcuts';
import classes from './campaigns.module.css';
import type { CampaignsSearch } from './list-search';
import { type CampaignStatus, statuses } from './model';
import { statusNames } from './words';

const CreatedFilter = lazyPart(async () => (await import('./created-filter')).CreatedFilter);

interface ToolbarProps {
  search: CampaignsSearch;
  set: (change: Partial<CampaignsSearch>, replace?: boolean) => void;
  end: ReactNode;
  /** Absent for those who may not make one. */
  onNew: (() => void) | undefined;
}

/** Searches and filters the list; everything stands in the address. */
export function CampaignsToolbar({ search, set, end, onNew }: ToolbarProps) {
  const members = useMembers();
  useShortcuts('Campaigns', [
    {
      keys: '/',
      label: 'Search campaigns',
      run: () => document.querySelector<HTMLInputElement>('input[aria-label="Search campaigns"]')?.focus(),
    },
    ...(onNew ? [{ keys: 'n', label: 'New campaign', run: onNew }] : []),
  ]);
  const one = search.status?.length === 1 ? search.status[0] : undefined;
  const chips = chipsOf(
    search,
    members.data?.find((member) => member.userId === search.by)?.name ?? 'A colleague',
  );
  return (
    <>
      <div className={classes.toolbar}>
        <SearchBox
          className={classes.searchBox}
          label="Search campaigns"
          q={search.q ?? ''}
          onSearch={(text) => set({ q: text || undefined, page: undefined }, true)}
        />
        <NativeSelect
          aria-label="Status"
          w={150}
          value={one ?? ''}
          data={[
            { value: '', label: search.status && !one ? 'Several statuses' : 'Any status' },
            ...statuses.map((value) => ({ value, label: statusNames[value] })),
          ]}
          onChange={(event) => {
            const value = event.currentTarget.value as CampaignStatus | '';
            set({ status: value ? [value] : undefined, page: undefined });
          }}
        />
        <NativeSelect
          aria-label="Created by"
          w={170}
          value={search.by ?? ''}
          data={[
            { value: '', label: 'Made by anybody' },
            ...(members.data ?? []).map(({ userId, name }) => ({ value: userId, label: name })),
          ]}
          onChange={(event) => set({ by: event.currentTarget.value || undefined, page: undefined })}
        />
        <LateMenu
          button={(press) => (
            <Button variant="default" leftSection={<IconCalendar size={18} />} {...press}>
              Created
            </Button>
          )}
        >
          {(isWanted) => <CreatedFilter search={search} set={set} defaultOpened={isWanted} />}
        </LateMenu>
        <div className={classes.toolbarEnd}>{end}</div>
      </div>
      <FilterChips chips={chips} onRemove={(without) => set({ ...without, page: undefined })} />
    </>
  );
}

function chipsOf(search: CampaignsSearch, maker: string) {
  const { status, from, to, by } = search;
  const chips: Chip<Partial<CampaignsSearch>>[] = (status ?? []).map((each) => ({
    key: each,
    label: statusNames[each],
    without: { status: status && status.length > 1 ? status.filter((other) => other !== each) : undefined },
  }));
  if (by) chips.push({ key: 'by', label: `Made by ${maker}`, without: { by: undefined } });
  const day = (date: string) => longDate(`${date}T12:00:00`);
  if (from) chips.push({ key: 'from', label: `Created from ${day(from)}`, without: { from: undefined } });
  if (to) chips.push({ key: 'to', label: `Created until ${day(to)}`, without: { to: undefined } });
  return chips;
}
