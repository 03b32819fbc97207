import { Button, CloseButton, Kbd, Skeleton, TextInput } from '@mantine/core';
import {
  IconArrowUp,
  IconCircleCheck,
  IconInbox,
  IconSearch,
  IconSearchOff,
  IconUserCheck,
} from '@tabler/icons-react';
import { useInfiniteQuery, useQuery, useQueryClient } from '@tanstack/react-query';
import { Link } from '@tanstack/react-router';
import { useVirtualizer } from '@tanstack/react-virtual';
import { useEffect, useMemo, useRef, useState } from 'react';
import { Hint, LoadProblem } from '@/components/problem';
import { useMembers, useOrg } from '@/features/tenancy/queries';
import { NoNumberYet } from '@/features/whatsapp/no-number-yet';
import { useNow } from '@/lib/clock';
import { useDebounced } from '@/lib/debounce';
import { usePolling } from '@/lib/realtime';
import { plural } from '@/lib/time';
import { ConversationRow } from './conversation-row';
import { useHeldOrder } from './held-order';
import classes from './inbox.module.css';
import { messagesQuery } from './messages';
import { type Conversation, type Tab, tabNames, tabs } from './model';
import { conversationsQuery, SHORTEST_SEARCH, searchQuery, useMe } from './queries';

const ROW_PX = 88;

interface ConversationListProps {
  tab: Tab;
  q: string;
  selected?: string;
  searchRef: React.RefObject<HTMLInputElement | null>;
  onSearch: (q: string) => void;
  /** The order as shown, for j and k. */
  onOrder: (ids: string[]) => void;
}

export function ConversationList({ tab, q, selected, searchRef, onSearch, onOrder }: ConversationListProps) {
  const searching = q.trim().length >= SHORTEST_SEARCH;
  return (
    <section className={classes.list} aria-label="Conversations">
      <div className={classes.tools}>
        <TextInput
          ref={searchRef}
          type="search"
          aria-label="Search conversations"
          placeholder="Search names, numbers, messages"
          leftSection={<IconSearch size={18} aria-hidden />}
          size="md"
          fz="sm"
          value={q}
          onChange={(event) => onSearch(event.currentTarget.value)}
          onKeyDown={(event) => {
            if (event.key === 'Escape') {
              onSearch('');
              event.currentTarget.blur();
            }
          }}
          rightSection={
            q ? <CloseButton size="sm" aria-label="Clear the search" onClick={() => onSearch('')} /> : null
          }
        />
        <nav className={classes.tabs} aria-label="Which conversations">
          {tabs.map((each) => (
            <Link
              key={each}
              to="/conversations/{-$conversationId}"
              params={(old) => old as never}
              search={{ tab: each === 'all' ? undefined : each }}
              className={classes.tab}
              data-active={(each === tab && !searching) || undefined}
              aria-current={each === tab && !searching ? 'true' : undefined}
            >
              {tabNames[each]}
            </Link>
          ))}
        </nav>
      </div>
      {searching ? (
        <SearchResults q={q.trim()} selected={selected} onOrder={onOrder} />
      ) : (
        <TabRows key={tab} tab={tab} selected={selected} onOrder={onOrder} />
      )}
    </section>
  );
}

function TabRows({
  tab,
  selected,
  onOrder,
}: {
  tab: Tab;
  selected?: string;
  onOrder: (ids: string[]) => void;
}) {
  const { orgId } = useOrg();
  const me = useMe();
  const polling = usePolling();
  const query = useInfiniteQuery({ ...conversationsQuery(orgId, tab, me), refetchInterval: polling });
  const [frame, setFrame] = useState<HTMLElement | null>(null);
  const [box, setBox] = useState<HTMLElement | null>(null);
  const rows = useMemo(() => query.data?.pages.flatMap((page) => page.rows) ?? [], [query.data]);
  const held = useHeldOrder(rows, frame, box);
  const more = () => {
    if (query.hasNextPage && !query.isFetchingNextPage) void query.fetchNextPage();
  };
  if (query.isPending) return <RowsSkeleton />;
  if (query.isError && rows.length === 0) {
    return <LoadProblem error={query.error} what="your conversations" onRetry={() => void query.refetch()} />;
  }
  if (rows.length === 0) return <EmptyTab tab={tab} />;
  return (
    <div
      ref={setFrame}
      style={{ position: 'relative', display: 'flex', flex: 1, minHeight: 0, flexDirection: 'column' }}
    >
      {held.waiting > 0 && (
        <div className={classes.pill}>
          <Button
            size="compact-sm"
            radius="xl"
            leftSection={<IconArrowUp size={14} />}
            onClick={() => {
              held.release();
              box?.scrollTo({ top: 0 });
            }}
          >
            {plural(held.waiting, 'new', 'new')}
          </Button>
        </div>
      )}
      <Rows
        rows={held.rows}
        onBox={setBox}
        selected={selected}
        search={{ tab: tab === 'all' ? undefined : tab }}
        onOrder={onOrder}
        onEnd={more}
      />
    </div>
  );
}

function SearchResults({
  q,
  selected,
  onOrder,
}: {
  q: string;
  selected?: string;
  onOrder: (ids: string[]) => void;
}) {
  const { orgId } = useOrg();
  const settled = useDebounced(q, 250);
  const query = useQuery({ ...searchQuery(orgId, settled), placeholderData: (old) => old });
  const found = query.data ?? [];
  const rows = useMemo(() => found.map((each) => each.conversation), [found]);
  const snippets = useMemo(() => new Map(found.map((each) => [each.conversation.id, each.snippet])), [found]);
  if (query.isPending) return <RowsSkeleton />;
  if (query.isError)
    return <LoadProblem error={query.error} what="the search" onRetry={() => void query.refetch()} />;
  if (found.length === 0) {
    return (
      <Hint icon={<IconSearchOff size={28} stroke={1.5} />} title="Nothing found" role="status">
        No name, number or message matches “{settled}”. Try fewer letters.
      </Hint>
    );
  }
  return <Rows rows={rows} snippets={snippets} selected={selected} search={{ q }} onOrder={onOrder} />;
}

interface RowsProps {
  rows: Conversation[];
  onBox?: (box: HTMLElement | null) => void;
  snippets?: Map<string, string | null>;
  selected?: string;
  search: { tab?: string; q?: string };
  onOrder: (ids: string[]) => void;
  onEnd?: () => void;
}

function Rows({ rows, onBox, snippets, selected, search, onOrder, onEnd }: RowsProps) {
  const queryClient = useQueryClient();
  const scroller = useRef<HTMLDivElement>(null);
  const now = useNow(30_000);
  const members = useMembers();
  const names = useMemo(
    () => new Map(members.data?.map((member) => [member.userId, member.name])),
    [members.data],
  );
  const virtual = useVirtualizer({
    count: rows.length,
    getScrollElement: () => scroller.current,
    estimateSize: () => ROW_PX,
    getItemKey: (index) => rows[index]?.id ?? index,
    overscan: 8,
  });
  const items = virtual.getVirtualItems();
  const lastShown = items.at(-1)?.index ?? 0;

  const order = useMemo(() => rows.map((row) => row.id), [rows]);
  useEffect(() => onOrder(order), [order, onOrder]);
  useEffect(() => {
    if (lastShown >= rows.length - 10) onEnd?.();
  }, [lastShown, rows.length, onEnd]);
  const selectedIndex = selected ? order.indexOf(selected) : -1;
  // biome-ignore lint/correctness/useExhaustiveDependencies: only a new selection scrolls, not a selected row that moves
  useEffect(() => {
    if (selectedIndex >= 0) virtual.scrollToIndex(selectedIndex, { align: 'auto' });
  }, [selected]);

  const onIntent = (id: string) => void queryClient.prefetchInfiniteQuery(messagesQuery(id));
  return (
    <div
      className={classes.rows}
      ref={(box) => {
        scroller.current = box;
        onBox?.(box);
      }}
    >
      <ul className={classes.rowList} style={{ height: virtual.getTotalSize() }}>
        {items.map((item) => {
          const row = rows[item.index];
          if (!row) return null;
          return (
            <li
              key={item.key}
              aria-setsize={rows.length}
              aria-posinset={item.index + 1}
              style={{
                position: 'absolute',
                insetInline: 0,
                top: 0,
                height: ROW_PX,
                transform: `translateY(${item.start}px)`,
              }}
            >
              <ConversationRow
                row={row}
                search={search}
                selected={row.id === selected}
                now={now}
                assignee={row.assigned_to ? names.get(row.assigned_to) : undefined}
                snippet={snippets?.get(row.id)}
                onIntent={onIntent}
              />
            </li>
          );
        })}
      </ul>
    </div>
  );
}

function EmptyTab({ tab }: { tab: Tab }) {
  switch (tab) {
    case 'mine':
      return (
        <Hint icon={<IconUserCheck size={28} stroke={1.5} />} title="Nothing assigned to you" role="status">
          Take one from Unassigned: open it and press <Kbd>a</Kbd>.
        </Hint>
      );
    case 'unassigned':
      return (
        <Hint icon={<IconCircleCheck size={28} stroke={1.5} />} title="All taken care of" role="status">
          Every open conversation has somebody looking after it.
        </Hint>
      );
    case 'resolved':
      return (
        <Hint icon={<IconCircleCheck size={28} stroke={1.5} />} title="Nothing resolved yet" role="status">
          Resolve a conversation when it is done. It comes back when the customer writes again.
        </Hint>
      );
    default:
      return (
        <NoNumberYet
          otherwise={
            <Hint icon={<IconInbox size={28} stroke={1.5} />} title="No conversations yet" role="status">
              When a customer writes to your WhatsApp number, the conversation appears here.
            </Hint>
          }
        />
      );
  }
}

function RowsSkeleton() {
  return (
    <div role="status" aria-label="Loading conversations">
      {Array.from({ length: 8 }, (_, index) => (
        // biome-ignore lint/suspicious/noArrayIndexKey: a fixed drawing
        <div key={index} className={classes.row} style={{ height: ROW_PX }}>
          <Skeleton circle height={42} />
          <div className={classes.rowBody}>
            <Skeleton height={14} width="60%" mt={4} />
            <Skeleton height={12} width="90%" mt={6} />
            <Skeleton height={10} width="20%" mt={6} />
          </div>
        </div>
      ))}
    </div>
  );
}
