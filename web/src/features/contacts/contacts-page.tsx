import { ActionIcon, Button, Group, NativeSelect, Pagination, Text } from '@mantine/core';
import {
  IconAddressBook,
  IconDotsVertical,
  IconFileImport,
  IconSearchOff,
  IconTrash,
  IconUserPlus,
} from '@tabler/icons-react';
import { keepPreviousData, useQuery } from '@tanstack/react-query';
import { getRouteApi, useNavigate } from '@tanstack/react-router';
import { Suspense, useEffect, useMemo, useState } from 'react';
import { FilterChips } from '@/components/filter-chips';
import { LateMenu } from '@/components/late-menu';
import { Hint, LoadProblem } from '@/components/problem';
import { useOrg } from '@/features/tenancy/queries';
import { lazyPart } from '@/lib/lazy-part';
import { usePolling } from '@/lib/realtime';
import { count } from '@/lib/time';
import classes from './contacts.module.css';
import { ContactsTable } from './contacts-table';
import { ContactsToolbar } from './contacts-toolbar';
import { chipsOf, filtersOf, noFilters, rulesOf } from './filters';
import { rememberList } from './last-list';
import { type ContactsSearch, defaultDirection, pageSizes } from './list-search';
import { useListView } from './list-view';
import { useLiveContacts } from './live';
import { contactName, contactsQuery, tagsQuery } from './queries';
import { contactsWords, nothing, selectionOf, type Ticked, tick, tickedCount } from './selection';

const route = getRouteApi('/_app/contacts');

const NewContactDrawer = lazyPart(async () => (await import('./new-contact-drawer')).NewContactDrawer);
const FilterDrawer = lazyPart(async () => (await import('./filter-drawer')).FilterDrawer);
const BulkBar = lazyPart(async () => (await import('./bulk-bar')).BulkBar);
const RowMenu = lazyPart(async () => (await import('./row-menu')).RowMenu);
const TrashActions = lazyPart(async () => (await import('./trash-actions')).TrashActions);

export function ContactsPage() {
  const search = route.useSearch();
  const { q = '', sort = 'recent', page = 1, size = 25 } = search;
  const dir = search.dir ?? defaultDirection[sort];
  const org = useOrg();
  const trash = search.trash === true && org.can('contacts.trash');
  const navigate = useNavigate({ from: '/contacts' });
  const set = (change: Partial<ContactsSearch>, replace = false) =>
    void navigate({ search: (old) => ({ ...old, ...change }), replace });
  const [view, setView] = useListView();
  useLiveContacts();
  useEffect(() => rememberList(search), [search]);

  const filters = filtersOf(search);
  const rules = rulesOf(filters);
  const asked = { q, sort, dir, page, size, rules, trash };
  const query = useQuery({
    ...contactsQuery(org.orgId, asked),
    placeholderData: keepPreviousData,
    refetchInterval: usePolling(),
  });
  const total = query.data?.total ?? 0;
  const isMinimum = query.data?.isMinimum ?? false;
  const pages = Math.max(1, Math.ceil(total / size));
  const tags = useQuery(tagsQuery(org.orgId));
  const chips = chipsOf(filters, tags.data ?? []);

  // A selection means the rows of one question; another question starts anew.
  const matching = { search: q.trim(), rules, trash };
  const question = JSON.stringify(matching);
  const [picked, setPicked] = useState<{ question: string; ticked: Ticked }>({ question, ticked: nothing });
  const ticked = picked.question === question ? picked.ticked : nothing;
  const setTicked = (next: Ticked) => setPicked({ question, ticked: next });
  const chosen = tickedCount(ticked, total);
  const mayBulk = org.can('contacts.bulk') && !trash;

  // The last page can vanish under somebody's feet: deleted elsewhere, or a link to a page that never was.
  const beyond = query.isSuccess && !query.isPlaceholderData && total > 0 && page > pages;
  useEffect(() => {
    if (beyond)
      void navigate({ search: (old) => ({ ...old, page: pages === 1 ? undefined : pages }), replace: true });
  }, [beyond, pages, navigate]);

  const everything = useMemo(
    () => selectionOf({ kind: 'all', except: new Set() }, JSON.parse(question)),
    [question],
  );
  const add = org.can('contacts.write') && (
    <Button leftSection={<IconUserPlus size={18} />} onClick={() => set({ add: true })}>
      Add contact
    </Button>
  );
  return (
    <div className={classes.page}>
      {trash && (
        <Group mb="md" gap="sm">
          <IconTrash size={20} aria-hidden />
          <Text fw={600}>Trash</Text>
          <Button size="xs" variant="default" onClick={() => void navigate({ search: {} })}>
            Back to contacts
          </Button>
        </Group>
      )}
      <ContactsToolbar
        search={search}
        set={set}
        view={view}
        onView={setView}
        filters={chips.length}
        trash={trash}
        total={query.data?.total}
        isMinimum={isMinimum}
        matching={everything}
        add={add}
      />
      <FilterChips
        chips={chips}
        onRemove={(without) => set({ ...without, page: undefined })}
        onClear={() => set({ ...noFilters, page: undefined })}
      />
      {query.isError && !query.data ? (
        <LoadProblem error={query.error} what="your contacts" onRetry={() => void query.refetch()} />
      ) : query.isSuccess && total === 0 ? (
        <Nobody
          q={q}
          filtered={chips.length > 0}
          trash={trash}
          onClear={() => set({ ...noFilters, q: undefined, page: undefined })}
          add={add}
          mayImport={mayBulk}
        />
      ) : (
        <>
          <ContactsTable
            rows={query.data?.rows}
            stale={query.isPlaceholderData}
            view={view}
            sort={sort}
            dir={dir}
            onSort={(by, direction) =>
              set({
                sort: by === 'recent' ? undefined : by,
                dir: direction === defaultDirection[by] ? undefined : direction,
                page: undefined,
              })
            }
            ticked={ticked}
            onTick={mayBulk ? (ids, on) => setTicked(tick(ticked, ids, on)) : undefined}
            onOpen={(contactId) => void navigate({ to: '/contacts/$contactId', params: { contactId } })}
            actions={
              trash
                ? (contact) => (
                    <Suspense fallback={null}>
                      <TrashActions contact={contact} />
                    </Suspense>
                  )
                : org.role === 'viewer'
                  ? undefined
                  : (contact) => (
                      <LateMenu
                        button={(press) => (
                          <ActionIcon aria-label={`Actions for ${contactName(contact)}`} {...press}>
                            <IconDotsVertical size={18} />
                          </ActionIcon>
                        )}
                      >
                        {(isWanted) => <RowMenu contact={contact} defaultOpened={isWanted} />}
                      </LateMenu>
                    )
            }
          />
          <Suspense fallback={null}>
            {mayBulk && chosen > 0 && (
              <BulkBar
                ticked={ticked}
                total={total}
                isMinimum={isMinimum}
                matching={matching}
                rows={query.data?.rows ?? []}
                onTicked={setTicked}
              />
            )}
          </Suspense>
          <div className={classes.foot}>
            <Text c="dimmed" role="status">
              {query.data ? contactsWords(total, isMinimum) : ''}
            </Text>
            <Group gap="sm">
              <NativeSelect
                aria-label="Contacts a page"
                value={String(size)}
                onChange={(event) => {
                  const rows = Number(event.currentTarget.value);
                  set({ size: rows === 25 ? undefined : rows, page: undefined });
                }}
                data={pageSizes.map((each) => ({ value: String(each), label: `${each} a page` }))}
              />
              <Pagination
                total={pages}
                value={page}
                siblings={0}
                onChange={(next) => set({ page: next === 1 ? undefined : next })}
                getControlProps={(control) => ({ 'aria-label': `${control} page` })}
                getItemProps={(number) => ({ 'aria-label': `Page ${count(number)}` })}
              />
            </Group>
          </div>
        </>
      )}
      <Suspense fallback={null}>
        {search.add && (
          <NewContactDrawer
            onClose={() => set({ add: undefined })}
            onSaved={(contactId) => void navigate({ to: '/contacts/$contactId', params: { contactId } })}
          />
        )}
        {search.filters && (
          <FilterDrawer
            filters={filters}
            total={query.isPlaceholderData ? undefined : query.data?.total}
            error={query.error}
            onChange={(change) => set({ ...change, page: undefined }, true)}
            onClear={() => set({ ...noFilters, page: undefined }, true)}
            onClose={() => set({ filters: undefined }, true)}
          />
        )}
      </Suspense>
    </div>
  );
}

interface NobodyProps {
  q: string;
  filtered: boolean;
  trash: boolean;
  onClear: () => void;
  add: React.ReactNode;
  mayImport: boolean;
}

function Nobody({ q, filtered, trash, onClear, add, mayImport }: NobodyProps) {
  const navigate = useNavigate();
  if (q || filtered)
    return (
      <Hint
        icon={<IconSearchOff size={28} stroke={1.5} />}
        title="Nobody found"
        role="status"
        action={
          <Button variant="default" onClick={onClear}>
            {filtered ? 'Clear the filters' : 'Clear the search'}
          </Button>
        }
      >
        {filtered
          ? q
            ? `No contact matches “${q}” and all of these filters.`
            : 'No contact matches all of these filters.'
          : `No name, number, e-mail or company matches “${q}”.`}
      </Hint>
    );
  if (trash)
    return (
      <Hint icon={<IconTrash size={28} stroke={1.5} />} title="The trash is empty" role="status">
        Deleted contacts wait here until somebody restores or erases them.
      </Hint>
    );
  return (
    <Hint
      icon={<IconAddressBook size={28} stroke={1.5} />}
      title="Add your first contact"
      action={
        <>
          {add}
          {mayImport && (
            <Button
              variant="default"
              leftSection={<IconFileImport size={18} />}
              onClick={() => void navigate({ to: '/contacts/import' })}
            >
              Import a file
            </Button>
          )}
        </>
      }
    >
      Everybody who writes to your WhatsApp number is added by itself. You can also add people by hand, or
      bring a whole list.
    </Hint>
  );
}
