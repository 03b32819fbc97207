import type { Segment, SegmentKind } from './model';

export type SegmentSort = 'name' | 'members' | 'changed';
export const sortNames: Record<SegmentSort, string> = {
  name: 'Name',
  members: 'Most members',
  changed: 'Last changed',
};

export const SEGMENTS_A_PAGE = 25;

const order: Record<SegmentSort, (a: Segment, b: Segment) => number> = {
  name: (a, b) => a.name.localeCompare(b.name),
  members: (a, b) => b.member_count - a.member_count || a.name.localeCompare(b.name),
  changed: (a, b) => Date.parse(b.updated_at) - Date.parse(a.updated_at),
};

/** An organisation has at most 200 segments, so the list is searched where it is shown. */
export function foundSegments(
  segments: Segment[],
  { q, kind, sort }: { q: string; kind?: SegmentKind; sort: SegmentSort },
): Segment[] {
  const wanted = q.trim().toLowerCase();
  return segments
    .filter((segment) => !kind || segment.kind === kind)
    .filter((segment) => `${segment.name}\n${segment.description ?? ''}`.toLowerCase().includes(wanted))
    .sort(order[sort]);
}
