import {
  Button,
  CloseButton,
  Group,
  Pagination,
  Select,
  Skeleton,
  Table,
  Text,
  TextInput,
  UnstyledButton,
} from '@mantine/core';
import { IconAddressBook, IconSearch, IconSearchOff, IconUserPlus } from '@tabler/icons-react';
import { keepPreviousData, useQuery } from '@tanstack/react-query';
import { getRouteApi, useNavigate } from '@tanstack/react-router';
import { Suspense, useEffect, useState } from 'react';
import { PersonAvatar } from '@/components/person-avatar';
import { Hint, LoadProblem } from '@/components/problem';
import { useOrg } from '@/features/tenancy/queries';
import { useNow } from '@/lib/clock';
import { useDebounced } from '@/lib/debounce';
import { lazyPart } from '@/lib/lazy-part';
import { count, exactTime, plural, relativeAge } from '@/lib/time';
import { ConsentBadge } from './consent-badge';
import classes from './contacts.module.css';
import {
  type ContactRow,
  contactName,
  contactsQuery,
  pageSizes,
  type Sort,
  sortNames,
  sorts,
} from './queries';
import { TagChips } from './tag-chips';

const route = getRouteApi('/_app/contacts');

const ContactDrawer = lazyPart(async () => (await import('./contact-drawer')).ContactDrawer);
const NewContactDrawer = lazyPart(async () => (await import('./contact-drawer')).NewContactDrawer);

export function ContactsPage() {
  const search = route.useSearch();
  const { q = '', sort = 'recent', page = 1, size = 25, contact, add } = search;
  const navigate = useNavigate({ from: '/contacts' });
  const org = useOrg();
  const set = (change: Partial<typeof search>, replace = false) =>
    void navigate({ search: (old) => ({ ...old, ...change }), replace });
  const query = useQuery({
    ...contactsQuery(org.orgId, { q, sort, page, size }),
    placeholderData: keepPreviousData,
  });
  const total = query.data?.total ?? 0;
  const addButton = org.can('contacts.write') && (
    <Button leftSection={<IconUserPlus size={18} />} onClick={() => set({ add: true })}>
      Add contact
    </Button>
  );
  return (
    <div className={classes.page}>
      <Group gap="sm" mb="md">
        <SearchBox q={q} onSearch={(text) => set({ q: text || undefined, page: undefined }, true)} />
        <Select
          aria-label="Sort by"
          w={170}
          allowDeselect={false}
          value={sort}
          onChange={(value) =>
            set({ sort: value === 'recent' ? undefined : (value as Sort), page: undefined })
          }
          data={sorts.map((value) => ({ value, label: sortNames[value] }))}
        />
        <Group ml="auto">{addButton}</Group>
      </Group>
      {query.isError && !query.data ? (
        <LoadProblem error={query.error} what="your contacts" onRetry={() => void query.refetch()} />
      ) : query.isSuccess && total === 0 ? (
        q ? (
          <Hint icon={<IconSearchOff size={28} stroke={1.5} />} title="Nobody found" role="status">
            No name, number, e-mail or company matches “{q}”.
          </Hint>
        ) : (
          <Hint
            icon={<IconAddressBook size={28} stroke={1.5} />}
            title="Add your first contact"
            action={addButton}
          >
            Everybody who writes to your WhatsApp number is added by itself. You can also add people by hand.
          </Hint>
        )
      ) : (
        <>
          <ContactsTable
            rows={query.data?.rows}
            stale={query.isPlaceholderData}
            onOpen={(id) => set({ contact: id })}
          />
          <Group justify="space-between" mt="md">
            <Text c="dimmed" role="status">
              {query.data ? plural(total, 'contact') : ''}
            </Text>
            <Group gap="sm">
              <Select
                aria-label="Contacts a page"
                w={120}
                allowDeselect={false}
                value={String(size)}
                onChange={(value) =>
                  set({ size: value === '25' ? undefined : Number(value), page: undefined })
                }
                data={pageSizes.map((each) => ({ value: String(each), label: `${each} a page` }))}
              />
              <Pagination
                total={Math.max(1, Math.ceil(total / size))}
                value={page}
                onChange={(next) => set({ page: next === 1 ? undefined : next })}
                getControlProps={(control) => ({ 'aria-label': `${control} page` })}
                getItemProps={(number) => ({ 'aria-label': `Page ${count(number)}` })}
              />
            </Group>
          </Group>
        </>
      )}
      <Suspense fallback={null}>
        {add && (
          <NewContactDrawer
            onClose={() => set({ add: undefined })}
            onSaved={(id) => set({ add: undefined, contact: id })}
          />
        )}
        {contact && !add && (
          <ContactDrawer key={contact} id={contact} onClose={() => set({ contact: undefined })} />
        )}
      </Suspense>
    </div>
  );
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
      flex="1 1 240px"
      maw={420}
      aria-label="Search contacts"
      placeholder="Search name, number, e-mail, company"
      leftSection={<IconSearch size={18} aria-hidden />}
      value={text}
      onChange={(event) => setText(event.currentTarget.value)}
      rightSection={
        text ? (
          <CloseButton
            size="sm"
            aria-label="Clear the search"
            onClick={() => {
              setText('');
              onSearch('');
            }}
          />
        ) : null
      }
    />
  );
}

interface ContactsTableProps {
  rows?: ContactRow[];
  stale: boolean;
  onOpen: (id: string) => void;
}

function ContactsTable({ rows, stale, onOpen }: ContactsTableProps) {
  const now = useNow(60_000);
  return (
    <div className={classes.table} data-stale={stale || undefined}>
      <Table verticalSpacing={8} highlightOnHover stickyHeader>
        <Table.Thead>
          <Table.Tr>
            <Table.Th>Name</Table.Th>
            <Table.Th className={classes.wide}>E-mail</Table.Th>
            <Table.Th className={classes.wide}>Tags</Table.Th>
            <Table.Th>Opt-in</Table.Th>
            <Table.Th className={classes.medium}>Last message</Table.Th>
          </Table.Tr>
        </Table.Thead>
        <Table.Tbody>
          {rows
            ? rows.map((row) => (
                <Table.Tr key={row.id} className={classes.row} onClick={() => onOpen(row.id)}>
                  <Table.Td>
                    <Group gap="sm" wrap="nowrap">
                      <PersonAvatar src={row.avatar_url} name={contactName(row)} size={36} />
                      <div style={{ minWidth: 0 }}>
                        <UnstyledButton className={classes.name} title={contactName(row)} dir="auto">
                          {contactName(row)}
                        </UnstyledButton>
                        {row.phone && row.phone !== contactName(row) && (
                          <Text size="sm" c="dimmed" style={{ fontVariantNumeric: 'tabular-nums' }}>
                            {row.phone}
                          </Text>
                        )}
                      </div>
                    </Group>
                  </Table.Td>
                  <Table.Td className={classes.wide}>{row.email}</Table.Td>
                  <Table.Td className={classes.wide}>
                    <TagChips contact={row} />
                  </Table.Td>
                  <Table.Td>
                    <ConsentBadge status={row.opt_in_status} />
                  </Table.Td>
                  <Table.Td className={classes.medium}>
                    {row.last_message_at && (
                      <time dateTime={row.last_message_at} title={exactTime(row.last_message_at)}>
                        {relativeAge(row.last_message_at, now)}
                      </time>
                    )}
                  </Table.Td>
                </Table.Tr>
              ))
            : Array.from({ length: 10 }, (_, index) => (
                // biome-ignore lint/suspicious/noArrayIndexKey: a fixed drawing
                <Table.Tr key={index}>
                  <Table.Td>
                    <Group gap="sm" wrap="nowrap">
                      <Skeleton circle height={36} />
                      <Skeleton height={14} width={140} />
                    </Group>
                  </Table.Td>
                  <Table.Td className={classes.wide}>
                    <Skeleton height={14} width={160} />
                  </Table.Td>
                  <Table.Td className={classes.wide}>
                    <Skeleton height={14} width={80} />
                  </Table.Td>
                  <Table.Td>
                    <Skeleton height={18} width={80} />
                  </Table.Td>
                  <Table.Td className={classes.medium}>
                    <Skeleton height={14} width={90} />
                  </Table.Td>
                </Table.Tr>
              ))}
        </Table.Tbody>
      </Table>
    </div>
  );
}
