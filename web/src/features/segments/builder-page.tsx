import { Skeleton, Stack } from '@mantine/core';
import { IconLock } from '@tabler/icons-react';
import { useQuery } from '@tanstack/react-query';
import { getRouteApi } from '@tanstack/react-router';
import { useState } from 'react';
import { Hint, LoadProblem } from '@/components/problem';
import { TextLink } from '@/components/text-link';
import { useOrg } from '@/features/tenancy/queries';
import { everybody, type SegmentKind } from './model';
import { readPassedSelection } from './passed-selection';
import { inSegment, rulesOf, segmentQuery } from './queries';
import { SegmentForm } from './segment-form';
import classes from './segments.module.css';

const newRoute = getRouteApi('/_app/segments/new');
const editRoute = getRouteApi('/_app/segments/$segmentId/edit');

export function NewSegmentPage() {
  const { kind = 'dynamic', from, selected = false, campaign } = newRoute.useSearch();
  const org = useOrg();
  if (!org.can('campaigns.manage')) return <NotAllowed />;
  return (
    <div className={classes.page}>
      {from ? (
        <FromAnother key={from} kind={kind} from={from} />
      ) : (
        <FromScratch key={`${kind} ${selected}`} kind={kind} selected={selected} campaign={campaign} />
      )}
    </div>
  );
}

interface FromScratchProps {
  kind: SegmentKind;
  selected: boolean;
  campaign: string | undefined;
}

function FromScratch({ kind, selected, campaign }: FromScratchProps) {
  const [passed] = useState(() => (kind === 'static' && selected ? readPassedSelection() : undefined));
  return (
    <SegmentForm
      draftName={`new:${passed ? 'selection' : kind}`}
      kind={kind}
      start={{ name: '', description: '', rules: everybody }}
      passed={passed}
      campaign={campaign}
    />
  );
}

/** A copy, or the members of one frozen: begins with what the other has. */
function FromAnother({ kind, from }: { kind: SegmentKind; from: string }) {
  const { orgId } = useOrg();
  const other = useQuery(segmentQuery(orgId, from));
  if (other.isPending) return <FormSkeleton />;
  if (other.isError)
    return <LoadProblem error={other.error} what="that segment" onRetry={() => void other.refetch()} />;
  const { data } = other;
  const frozen = kind === 'static';
  return (
    <SegmentForm
      draftName={`new:${kind}:${from}`}
      kind={kind}
      start={{
        name: frozen && data.kind === 'dynamic' ? `${data.name}, frozen` : `Copy of ${data.name}`,
        description: data.description ?? '',
        rules: rulesOf(data) ?? everybody,
      }}
      passed={
        frozen
          ? { selection: { rules: inSegment(from) }, count: data.member_count, of: data.name }
          : undefined
      }
    />
  );
}

export function EditSegmentPage() {
  const { segmentId } = editRoute.useParams();
  const org = useOrg();
  // An edit begins from what the database has now, never from what a page remembered; a change meanwhile is told when saving.
  const segment = useQuery({
    ...segmentQuery(org.orgId, segmentId),
    refetchOnMount: 'always',
    refetchOnWindowFocus: false,
  });
  if (!org.can('campaigns.manage')) return <NotAllowed />;
  return (
    <div className={classes.page}>
      {segment.isPending || !segment.isFetchedAfterMount ? (
        <FormSkeleton />
      ) : segment.isError ? (
        <LoadProblem error={segment.error} what="this segment" onRetry={() => void segment.refetch()} />
      ) : (
        <SegmentForm
          key={segmentId}
          draftName={segmentId}
          kind={segment.data.kind}
          segment={segment.data}
          start={{
            name: segment.data.name,
            description: segment.data.description ?? '',
            rules: rulesOf(segment.data) ?? everybody,
          }}
        />
      )}
    </div>
  );
}

function FormSkeleton() {
  return (
    <Stack role="status" aria-label="Loading">
      <Skeleton height={60} />
      <Skeleton height={44} />
      <Skeleton height={160} />
    </Stack>
  );
}

function NotAllowed() {
  return (
    <Hint
      icon={<IconLock size={28} stroke={1.5} />}
      title="You can look at segments, not change them"
      action={<TextLink to="/segments">See the segments</TextLink>}
    >
      Ask an owner, an admin or a campaign manager to make or change one.
    </Hint>
  );
}
