import { ActionIcon, Badge, Skeleton, Table, Text, VisuallyHidden } from '@mantine/core';
import { IconBolt, IconDotsVertical, IconList } from '@tabler/icons-react';
import { useQuery } from '@tanstack/react-query';
import { Link, useNavigate } from '@tanstack/react-router';
import { LateMenu } from '@/components/late-menu';
import { useOrg } from '@/features/tenancy/queries';
import { useNow } from '@/lib/clock';
import { lazyPart } from '@/lib/lazy-part';
import { count, exactTime, relativeAge } from '@/lib/time';
import { kindNames, type Segment, type SegmentKind, type Use } from './model';
import { summariesQuery } from './queries';
import classes from './segments.module.css';

const SegmentActions = lazyPart(async () => (await import('./segment-actions')).SegmentActions);

interface SegmentsTableProps {
  segments?: Segment[];
  onDelete: (segment: Segment) => void;
}

export function SegmentsTable({ segments, onDelete }: SegmentsTableProps) {
  return (
    <div className={classes.table}>
      <Table verticalSpacing={8} highlightOnHover stickyHeader>
        <Table.Thead>
          <Table.Tr>
            <Table.Th>Name</Table.Th>
            <Table.Th className={classes.wide}>Rules</Table.Th>
            <Table.Th className={classes.number}>Members</Table.Th>
            <Table.Th className={classes.medium}>Last evaluated</Table.Th>
            <Table.Th className={classes.medium}>Used by</Table.Th>
            <Table.Th w={60}>
              <VisuallyHidden>Actions</VisuallyHidden>
            </Table.Th>
          </Table.Tr>
        </Table.Thead>
        <Table.Tbody>
          {segments
            ? segments.map((segment) => <Row key={segment.id} segment={segment} onDelete={onDelete} />)
            : Array.from({ length: 6 }, (_, index) => (
                // biome-ignore lint/suspicious/noArrayIndexKey: a fixed drawing
                <Table.Tr key={index}>
                  <Table.Td>
                    <Skeleton height={14} width={160} my={12} />
                  </Table.Td>
                  <Table.Td className={classes.wide}>
                    <Skeleton height={14} width={240} />
                  </Table.Td>
                  <Table.Td>
                    <Skeleton height={14} width={48} ml="auto" />
                  </Table.Td>
                  <Table.Td className={classes.medium}>
                    <Skeleton height={14} width={90} />
                  </Table.Td>
                  <Table.Td className={classes.medium}>
                    <Skeleton height={14} width={60} />
                  </Table.Td>
                  <Table.Td>
                    <Skeleton height={36} width={36} />
                  </Table.Td>
                </Table.Tr>
              ))}
        </Table.Tbody>
      </Table>
    </div>
  );
}

function Row({ segment, onDelete }: { segment: Segment; onDelete: (segment: Segment) => void }) {
  const { orgId } = useOrg();
  const navigate = useNavigate();
  const now = useNow(60_000);
  const summary = useQuery(summariesQuery(orgId)).data?.get(segment.id);
  return (
    <Table.Tr
      className={classes.row}
      onClick={() => void navigate({ to: '/segments/$segmentId', params: { segmentId: segment.id } })}
    >
      <Table.Td>
        <Link
          to="/segments/$segmentId"
          params={{ segmentId: segment.id }}
          className={classes.name}
          title={segment.name}
          onClick={(event) => event.stopPropagation()}
        >
          {segment.name}
        </Link>
        <KindBadge kind={segment.kind} />
      </Table.Td>
      <Table.Td className={classes.wide}>
        <Text size="sm" className={classes.words} title={summary?.sentence ?? undefined}>
          {segment.kind === 'static' ? 'A fixed list' : summary?.sentence}
        </Text>
      </Table.Td>
      <Table.Td className={classes.number}>{count(segment.member_count)}</Table.Td>
      <Table.Td className={classes.medium}>
        {segment.evaluated_at ? (
          <time dateTime={segment.evaluated_at} title={exactTime(segment.evaluated_at)}>
            {relativeAge(segment.evaluated_at, now)}
          </time>
        ) : (
          'Being worked out…'
        )}
      </Table.Td>
      <Table.Td className={classes.medium}>
        <Text size="sm" title={summary?.used_by.map((use) => use.name).join(', ')}>
          {summary ? usedByWords(summary.used_by) : ''}
        </Text>
      </Table.Td>
      {/* A click on the menu is not one on the row. */}
      <Table.Td onClick={(event) => event.stopPropagation()}>
        <LateMenu
          button={(press) => (
            <ActionIcon size={44} aria-label={`More for ${segment.name}`} {...press}>
              <IconDotsVertical size={18} />
            </ActionIcon>
          )}
        >
          {(isWanted) => (
            <SegmentActions
              segment={segment}
              onDelete={() => onDelete(segment)}
              defaultOpened={isWanted}
              withLinks
            />
          )}
        </LateMenu>
      </Table.Td>
    </Table.Tr>
  );
}

export function KindBadge({ kind }: { kind: SegmentKind }) {
  const Icon = kind === 'dynamic' ? IconBolt : IconList;
  return (
    <Badge
      variant="light"
      color={kind === 'dynamic' ? 'blue' : 'gray'}
      leftSection={<Icon size={12} aria-hidden />}
    >
      {kindNames[kind]}
    </Badge>
  );
}

const words: Record<string, [string, string]> = {
  segment: ['segment', 'segments'],
  campaign: ['campaign', 'campaigns'],
  flow: ['flow', 'flows'],
};

/** "2 segments, 1 campaign". */
export function usedByWords(uses: Use[]): string {
  const kinds = [...new Set(uses.map((use) => use.kind))];
  return kinds
    .map((kind) => {
      const several = uses.filter((use) => use.kind === kind).length;
      const [one, many] = words[kind] ?? [kind, `${kind}s`];
      return `${several} ${several === 1 ? one : many}`;
    })
    .join(', ');
}
