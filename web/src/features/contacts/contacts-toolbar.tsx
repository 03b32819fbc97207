import { ActionIcon, Button, NativeSelect } from '@mantine/core';
import { notifications } from '@mantine/notifications';
import { IconColumns3, IconDots, IconFileExport, IconFileImport, IconFilter } from '@tabler/icons-react';
import { useMutation, useQueryClient } from '@tanstack/react-query';
import { useNavigate } from '@tanstack/react-router';
import type { ReactNode } from 'react';
import { LateMenu } from '@/components/late-menu';
import { SearchBox } from '@/components/search-box';
import { useOrg } from '@/features/tenancy/queries';
import { wordsFor } from '@/lib/errors';
import { lazyPart } from '@/lib/lazy-part';
import { useShortcuts } from '@/shell/shortcuts';
import classes from './contacts.module.css';
import { type ContactsSearch, type Direction, defaultDirection, type Sort } from './list-search';
import type { ListView } from './list-view';
import type { Selection } from './selection';

// Menus come right after the first paint, which does not wait for them.
const ViewMenu = lazyPart(async () => (await import('./list-menus')).ViewMenu);
const MoreMenu = lazyPart(async () => (await import('./list-menus')).MoreMenu);

const orders: { sort: Sort; dir: Direction; label: string }[] = [
  { sort: 'recent', dir: 'desc', label: 'Newest first' },
  { sort: 'recent', dir: 'asc', label: 'Oldest first' },
  { sort: 'name', dir: 'asc', label: 'Name, A to Z' },
  { sort: 'name', dir: 'desc', label: 'Name, Z to A' },
  { sort: 'message', dir: 'desc', label: 'Last message, newest' },
  { sort: 'message', dir: 'asc', label: 'Last message, oldest' },
  { sort: 'phone', dir: 'asc', label: 'Phone, ascending' },
  { sort: 'phone', dir: 'desc', label: 'Phone, descending' },
];

interface ToolbarProps {
  search: ContactsSearch;
  set: (change: Partial<ContactsSearch>, replace?: boolean) => void;
  view: ListView;
  onView: (view: ListView) => void;
  filters: number;
  trash: boolean;
  total: number | undefined;
  isMinimum: boolean;
  /** What "Export" takes along. */
  matching: Selection;
  add: ReactNode;
}

export function ContactsToolbar(props: ToolbarProps) {
  const { search, set, view, onView, filters, trash, total, isMinimum, matching, add } = props;
  const { sort = 'recent', dir = defaultDirection[sort] } = search;
  const org = useOrg();
  const navigate = useNavigate();
  const queryClient = useQueryClient();
  const mayBulk = org.can('contacts.bulk');
  const exporting = useMutation({
    mutationFn: async () => {
      const [{ createExport }, { followJob }] = await Promise.all([
        import('@/features/jobs/queries'),
        import('@/features/jobs/follow'),
      ]);
      followJob(queryClient, await createExport(org.orgId, matching));
    },
    onError: (error) => notifications.show({ color: 'red', message: wordsFor(error) }),
  });
  useShortcuts('Contacts', [
    {
      keys: '/',
      label: 'Search contacts',
      run: () => document.querySelector<HTMLInputElement>('input[aria-label="Search contacts"]')?.focus(),
    },
    { keys: 'f', label: 'Filter', run: () => set({ filters: true }, true) },
    ...(org.can('contacts.write')
      ? [{ keys: 'n', label: 'Add a contact', run: () => set({ add: true }) }]
      : []),
  ]);
  const openImport = () => void navigate({ to: '/contacts/import' });
  return (
    <div className={classes.toolbar}>
      <SearchBox
        className={classes.searchBox}
        label="Search contacts"
        placeholder="Search name, number, e-mail, company"
        q={search.q ?? ''}
        onSearch={(text) => set({ q: text || undefined, page: undefined }, true)}
      />
      <Button
        variant="default"
        leftSection={<IconFilter size={18} />}
        onClick={() => set({ filters: true }, true)}
        aria-label={filters > 0 ? `Filter, ${filters} in use` : 'Filter'}
      >
        {filters > 0 ? `Filter · ${filters}` : 'Filter'}
      </Button>
      <NativeSelect
        aria-label="Sort by"
        value={`${sort} ${dir}`}
        data={orders.map((order) => ({ value: `${order.sort} ${order.dir}`, label: order.label }))}
        onChange={(event) => {
          const order = orders.find((each) => `${each.sort} ${each.dir}` === event.currentTarget.value);
          if (order)
            set({
              sort: order.sort === 'recent' ? undefined : order.sort,
              dir: order.dir === defaultDirection[order.sort] ? undefined : order.dir,
              page: undefined,
            });
        }}
      />
      <LateMenu
        button={(press) => (
          <ActionIcon variant="default" aria-label="Columns and rows" {...press}>
            <IconColumns3 size={18} />
          </ActionIcon>
        )}
      >
        {(isWanted) => <ViewMenu view={view} onView={onView} defaultOpened={isWanted} />}
      </LateMenu>
      <div className={classes.toolbarEnd}>
        {mayBulk && !trash && (
          <>
            <Button
              variant="default"
              visibleFrom="lg"
              leftSection={<IconFileImport size={18} />}
              onClick={openImport}
            >
              Import
            </Button>
            <Button
              variant="default"
              visibleFrom="lg"
              leftSection={<IconFileExport size={18} />}
              disabled={!total}
              loading={exporting.isPending}
              onClick={() => exporting.mutate()}
            >
              Export
            </Button>
          </>
        )}
        {(mayBulk || org.can('tags.manage')) && (
          <LateMenu
            button={(press) => (
              <ActionIcon variant="default" aria-label="More" {...press}>
                <IconDots size={18} />
              </ActionIcon>
            )}
          >
            {(isWanted) => (
              <MoreMenu
                trash={trash}
                total={total}
                isMinimum={isMinimum}
                exporting={exporting.isPending}
                defaultOpened={isWanted}
                onExport={() => exporting.mutate()}
                onImport={openImport}
              />
            )}
          </LateMenu>
        )}
        {!trash && add}
      </div>
    </div>
  );
}
