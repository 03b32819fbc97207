import { Checkbox, Group, Skeleton, Table, Text, UnstyledButton, VisuallyHidden } from '@mantine/core';
import { IconArrowDown, IconArrowUp } from '@tabler/icons-react';
import { useQueryClient } from '@tanstack/react-query';
import { Link } from '@tanstack/react-router';
import { type ReactNode, useRef } from 'react';
import { PersonAvatar } from '@/components/person-avatar';
import { useOrg } from '@/features/tenancy/queries';
import { useNow } from '@/lib/clock';
import { exactTime, relativeAge } from '@/lib/time';
import { ConsentBadge } from './consent-badge';
import classes from './contacts.module.css';
import { type Direction, defaultDirection, type Sort } from './list-search';
import { type Column, columnNames, type ListView } from './list-view';
import { type Contact, contactName, sourceNames, stageNames, wordFor } from './model';
import { contactQuery } from './queries';
import { between, isTicked, type Ticked } from './selection';
import { TagChips } from './tag-chips';

/** From which width on a column has room. */
const widths: Record<Column, string | undefined> = {
  email: classes.wide,
  company: classes.wide,
  tags: classes.wide,
  consent: classes.small,
  stage: classes.wide,
  message: classes.medium,
  source: classes.wide,
  created: classes.wide,
};

const sortOf: Partial<Record<Column, Sort>> = { message: 'message', created: 'recent' };

interface ContactsTableProps {
  rows?: Contact[];
  /** What is shown is not yet what was asked for. */
  stale: boolean;
  view: ListView;
  sort: Sort;
  dir: Direction;
  onSort: (sort: Sort, dir: Direction) => void;
  ticked: Ticked;
  /** Absent for who may not select. */
  onTick?: (ids: string[], on: boolean) => void;
  onOpen: (id: string) => void;
  actions?: (contact: Contact) => ReactNode;
}

export function ContactsTable({
  rows,
  stale,
  view,
  actions,
  ticked,
  onTick,
  onOpen,
  ...order
}: ContactsTableProps) {
  const now = useNow(60_000);
  const last = useRef<string | undefined>(undefined);
  const { orgId } = useOrg();
  const queryClient = useQueryClient();
  const ids = rows?.map((row) => row.id) ?? [];
  const count = ids.filter((id) => isTicked(ticked, id)).length;
  const onRow = (id: string, on: boolean, shift: boolean) => {
    onTick?.(shift ? between(ids, last.current, id) : [id], on);
    last.current = id;
  };
  return (
    <div className={classes.table} data-stale={stale || undefined}>
      <Table
        verticalSpacing={view.compact ? 3 : 8}
        highlightOnHover
        stickyHeader
        aria-busy={stale}
        className={view.compact ? classes.compact : undefined}
      >
        <Table.Thead>
          <Table.Tr>
            {onTick && (
              <Table.Th w={48} miw={48}>
                <Checkbox
                  aria-label="Select all on this page"
                  className={classes.headTick}
                  checked={ids.length > 0 && count === ids.length}
                  indeterminate={count > 0 && count < ids.length}
                  onChange={(event) => onTick(ids, event.currentTarget.checked)}
                />
              </Table.Th>
            )}
            <SortHeader own="name" label="Name" {...order} />
            {view.shown.map((column) => {
              const own = sortOf[column];
              const name = columnNames[column];
              return own ? (
                <SortHeader key={column} own={own} label={name} className={widths[column]} {...order} />
              ) : (
                <Table.Th key={column} className={widths[column]}>
                  {name}
                </Table.Th>
              );
            })}
            {actions && (
              <Table.Th w={52}>
                <VisuallyHidden>Actions</VisuallyHidden>
              </Table.Th>
            )}
          </Table.Tr>
        </Table.Thead>
        <Table.Tbody>
          {rows
            ? rows.map((row) => {
                const name = contactName(row);
                const on = isTicked(ticked, row.id);
                return (
                  <Table.Tr
                    key={row.id}
                    className={classes.row}
                    data-ticked={on || undefined}
                    onClick={() => onOpen(row.id)}
                    onPointerEnter={() => void queryClient.prefetchQuery(contactQuery(orgId, row.id))}
                  >
                    {onTick && (
                      // The whole cell answers: a finger needs more than the mark it aims at.
                      <Table.Td
                        onClick={(event) => {
                          event.stopPropagation();
                          onRow(row.id, !on, event.shiftKey);
                        }}
                      >
                        <Checkbox aria-label={`Select ${name}`} checked={on} readOnly />
                      </Table.Td>
                    )}
                    <Table.Td>
                      <Group gap="sm" wrap="nowrap">
                        <PersonAvatar src={row.avatar_url} name={name} size={view.compact ? 26 : 36} />
                        <div className={classes.who}>
                          <Link
                            to="/contacts/$contactId"
                            params={{ contactId: row.id }}
                            className={classes.name}
                            title={name}
                            dir="auto"
                            onClick={(event) => event.stopPropagation()}
                          >
                            {name}
                          </Link>
                          {row.phone && row.phone !== name && (
                            <span className={classes.phone}>{row.phone}</span>
                          )}
                        </div>
                      </Group>
                    </Table.Td>
                    {view.shown.map((column) => (
                      <Table.Td key={column} className={widths[column]}>
                        <Cell column={column} contact={row} now={now} />
                      </Table.Td>
                    ))}
                    {actions && (
                      <Table.Td onClick={(event) => event.stopPropagation()} ta="right">
                        {actions(row)}
                      </Table.Td>
                    )}
                  </Table.Tr>
                );
              })
            : Array.from({ length: 10 }, (_, index) => (
                // biome-ignore lint/suspicious/noArrayIndexKey: a fixed drawing
                <Table.Tr key={index}>
                  {onTick && (
                    <Table.Td>
                      <Skeleton height={20} width={20} />
                    </Table.Td>
                  )}
                  <Table.Td>
                    <Group gap="sm" wrap="nowrap">
                      <Skeleton circle height={view.compact ? 26 : 36} />
                      <Skeleton height={14} width={140} />
                    </Group>
                  </Table.Td>
                  {view.shown.map((column) => (
                    <Table.Td key={column} className={widths[column]}>
                      <Skeleton height={14} width={90} />
                    </Table.Td>
                  ))}
                  {actions && <Table.Td />}
                </Table.Tr>
              ))}
        </Table.Tbody>
      </Table>
    </div>
  );
}

function Cell({ column, contact, now }: { column: Column; contact: Contact; now: number }) {
  switch (column) {
    case 'email':
      return <Clipped text={contact.email} />;
    case 'company':
      return <Clipped text={contact.company} />;
    case 'tags':
      return <TagChips tags={contact.tags} most={2} />;
    case 'consent':
      return <ConsentBadge status={contact.opt_in_status} />;
    case 'stage':
      return wordFor(stageNames, contact.lifecycle_stage);
    case 'source':
      return wordFor(sourceNames, contact.source);
    case 'message':
      return <Ago time={contact.last_message_at} now={now} />;
    case 'created':
      return <Ago time={contact.created_at} now={now} />;
  }
}

function Clipped({ text }: { text: string | null }) {
  if (!text) return null;
  return (
    <Text className={classes.clipped} title={text} dir="auto">
      {text}
    </Text>
  );
}

function Ago({ time, now }: { time: string | null; now: number }) {
  if (!time) return null;
  return (
    <time dateTime={time} title={exactTime(time)}>
      {relativeAge(time, now)}
    </time>
  );
}

interface SortHeaderProps extends Pick<ContactsTableProps, 'sort' | 'dir' | 'onSort'> {
  own: Sort;
  label: string;
  className?: string;
}

function SortHeader({ own, label, className, sort, dir, onSort }: SortHeaderProps) {
  const active = sort === own;
  const Arrow = dir === 'asc' ? IconArrowUp : IconArrowDown;
  return (
    <Table.Th
      className={className}
      aria-sort={active ? (dir === 'asc' ? 'ascending' : 'descending') : 'none'}
    >
      <UnstyledButton
        className={classes.sorter}
        onClick={() => onSort(own, active ? (dir === 'asc' ? 'desc' : 'asc') : defaultDirection[own])}
      >
        {label}
        {active && <Arrow size={14} aria-hidden />}
      </UnstyledButton>
    </Table.Th>
  );
}
