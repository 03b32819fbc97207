import { Button, CloseButton, NativeSelect, Popover, Stack, TextInput } from '@mantine/core';
import { IconCalendar, IconSearch } from '@tabler/icons-react';
import { type ReactNode, useEffect, useState } from 'react';
import { useMembers } from '@/features/tenancy/queries';
import { useDebounced } from '@/lib/debounce';
import { longDate } from '@/lib/time';
import { useShortcuts } from '@/shell/shortcuts';
import classes from './campaigns.module.css';
import type { CampaignsSearch } from './list-search';
import { type CampaignStatus, statuses } from './model';
import { statusNames } from './words';

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
        <Popover position="bottom-start" shadow="md" trapFocus>
          <Popover.Target>
            <Button variant="default" leftSection={<IconCalendar size={18} />}>
              Created
            </Button>
          </Popover.Target>
          <Popover.Dropdown aria-label="When it was created">
            <Stack gap="xs">
              <TextInput
                type="date"
                label="From"
                value={search.from ?? ''}
                max={search.to}
                onChange={(event) => set({ from: event.currentTarget.value || undefined, page: undefined })}
              />
              <TextInput
                type="date"
                label="To"
                value={search.to ?? ''}
                min={search.from}
                onChange={(event) => set({ to: event.currentTarget.value || undefined, page: undefined })}
              />
            </Stack>
          </Popover.Dropdown>
        </Popover>
        <div className={classes.toolbarEnd}>{end}</div>
      </div>
      {chips.length > 0 && (
        <ul className={classes.chips} aria-label="Filters">
          {chips.map(({ label, without }) => (
            <li key={label} className={classes.chip}>
              <span className={classes.chipLabel}>{label}</span>
              <CloseButton
                size="sm"
                iconSize={14}
                radius="xl"
                aria-label={`Remove filter ${label}`}
                onClick={() => set({ ...without, page: undefined })}
              />
            </li>
          ))}
        </ul>
      )}
    </>
  );
}

function chipsOf(search: CampaignsSearch, maker: string) {
  const { status, from, to, by } = search;
  const chips: { label: string; without: Partial<CampaignsSearch> }[] = (status ?? []).map((each) => ({
    label: statusNames[each],
    without: { status: status && status.length > 1 ? status.filter((other) => other !== each) : undefined },
  }));
  if (by) chips.push({ label: `Made by ${maker}`, without: { by: undefined } });
  const day = (date: string) => longDate(`${date}T12:00:00`);
  if (from) chips.push({ label: `Created from ${day(from)}`, without: { from: undefined } });
  if (to) chips.push({ label: `Created until ${day(to)}`, without: { to: undefined } });
  return chips;
}

function SearchBox({ q, onSearch }: { q: string; onSearch: (q: string) => void }) {
  const [text, setText] = useState(q);
  const settled = useDebounced(text, 300);
  useEffect(() => setText(q), [q]);
  // biome-ignore lint/correctness/useExhaustiveDependencies: only a pause in typing asks, not a change of the address
  useEffect(() => {
    if (settled !== q && settled === text) onSearch(settled);
  }, [settled]);
  return (
    <TextInput
      type="search"
      className={classes.searchBox}
      aria-label="Search campaigns"
      placeholder="Search campaigns"
      leftSection={<IconSearch size={18} aria-hidden />}
      value={text}
      onChange={(event) => setText(event.currentTarget.value)}
      rightSection={
        text ? <CloseButton size="sm" aria-label="Clear the search" onClick={() => onSearch('')} /> : null
      }
    />
  );
}
