import { ActionIcon, Button, Checkbox, Menu, Select, Tooltip } from '@mantine/core';
import { notifications } from '@mantine/notifications';
import {
  IconColumns3,
  IconDots,
  IconFileExport,
  IconFileImport,
  IconFilter,
  IconHistory,
  IconTags,
  IconTrash,
} from '@tabler/icons-react';
import { useMutation, useQueryClient } from '@tanstack/react-query';
import { useNavigate } from '@tanstack/react-router';
import type { ReactNode } from 'react';
import { useOrg } from '@/features/tenancy/queries';
import { wordsFor } from '@/lib/errors';
import { plural } from '@/lib/time';
import { useShortcuts } from '@/shell/shortcuts';
import classes from './contacts.module.css';
import { type ContactsSearch, type Direction, defaultDirection, type Sort } from './list-search';
import { columnNames, columns, type ListView } from './list-view';
import { SearchBox } from './search-box';
import type { Selection } from './selection';

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
  /** What "Export" takes along. */
  matching: Selection;
  add: ReactNode;
}

export function ContactsToolbar(props: ToolbarProps) {
  const { search, set, view, onView, filters, trash, total, matching, add } = props;
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
  const exportLabel = total === undefined ? 'Export' : `Export ${plural(total, 'contact')}`;
  return (
    <div className={classes.toolbar}>
      <SearchBox
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
      <Select
        aria-label="Sort by"
        w={190}
        allowDeselect={false}
        value={`${sort} ${dir}`}
        data={orders.map((order) => ({ value: `${order.sort} ${order.dir}`, label: order.label }))}
        onChange={(value) => {
          const order = orders.find((each) => `${each.sort} ${each.dir}` === value);
          if (order)
            set({
              sort: order.sort === 'recent' ? undefined : order.sort,
              dir: order.dir === defaultDirection[order.sort] ? undefined : order.dir,
              page: undefined,
            });
        }}
      />
      <Menu position="bottom-end" closeOnItemClick={false}>
        <Menu.Target>
          <Tooltip label="Columns and rows">
            <ActionIcon variant="default" aria-label="Columns and rows">
              <IconColumns3 size={18} />
            </ActionIcon>
          </Tooltip>
        </Menu.Target>
        <Menu.Dropdown>
          <Menu.Label>Columns</Menu.Label>
          {columns.map((column) => {
            const on = view.shown.includes(column);
            return (
              <Menu.Item
                key={column}
                role="menuitemcheckbox"
                aria-checked={on}
                leftSection={<Checkbox.Indicator checked={on} size="xs" aria-hidden />}
                onClick={() =>
                  onView({
                    ...view,
                    shown: columns.filter((each) => (each === column ? !on : view.shown.includes(each))),
                  })
                }
              >
                {columnNames[column]}
              </Menu.Item>
            );
          })}
          <Menu.Divider />
          <Menu.Item
            role="menuitemcheckbox"
            aria-checked={view.compact}
            leftSection={<Checkbox.Indicator checked={view.compact} size="xs" aria-hidden />}
            onClick={() => onView({ ...view, compact: !view.compact })}
          >
            Compact rows
          </Menu.Item>
        </Menu.Dropdown>
      </Menu>
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
        {(mayBulk || org.can('contacts.trash') || org.can('tags.manage')) && (
          <Menu position="bottom-end">
            <Menu.Target>
              <ActionIcon variant="default" aria-label="More">
                <IconDots size={18} />
              </ActionIcon>
            </Menu.Target>
            <Menu.Dropdown>
              {mayBulk && (
                <>
                  <Menu.Item leftSection={<IconFileImport size={18} />} onClick={openImport}>
                    Import a file
                  </Menu.Item>
                  {!trash && (
                    <Menu.Item
                      leftSection={<IconFileExport size={18} />}
                      disabled={!total || exporting.isPending}
                      onClick={() => exporting.mutate()}
                    >
                      {exportLabel}
                    </Menu.Item>
                  )}
                  <Menu.Item
                    leftSection={<IconHistory size={18} />}
                    onClick={() => void navigate({ to: '/contacts/jobs' })}
                  >
                    Imports and exports
                  </Menu.Item>
                </>
              )}
              {org.can('tags.manage') && (
                <Menu.Item
                  leftSection={<IconTags size={18} />}
                  onClick={() => void navigate({ to: '/settings/$section', params: { section: 'tags' } })}
                >
                  Manage tags
                </Menu.Item>
              )}
              {org.can('contacts.trash') && !trash && (
                <Menu.Item
                  leftSection={<IconTrash size={18} />}
                  onClick={() => void navigate({ to: '/contacts', search: { trash: true } })}
                >
                  Trash
                </Menu.Item>
              )}
            </Menu.Dropdown>
          </Menu>
        )}
        {!trash && add}
      </div>
    </div>
  );
}
