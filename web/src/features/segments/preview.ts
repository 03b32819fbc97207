import { keepPreviousData, useQuery, useQueryClient } from '@tanstack/react-query';
import { useMemo } from 'react';
import { throttle } from '@/lib/coalesce';
import { useDebounced } from '@/lib/debounce';
import { useTopic } from '@/lib/realtime';
import { finishedRules, type Preview, pathInWhole, type RuleGroup, type RuleProblem } from './model';
import { previewQuery } from './queries';

/** PRD §8.3 */
const PAUSE_MS = 300;
const REFRESH_MS = 2_000;

export interface LivePreview {
  /** The latest answer, kept while the next is counted. */
  data: Preview | undefined;
  isCounting: boolean;
  error: unknown;
  retry: () => void;
  /** What the database says about the rules as they stand, with paths into the rules as they are shown. */
  problems: RuleProblem[];
}

/** Counts the rules that are finished whenever the typing pauses, and again when contacts change. */
export function usePreview(orgId: string, rules: RuleGroup, enabled: boolean): LivePreview {
  const whole = JSON.stringify(rules);
  const finished = JSON.stringify(finishedRules(rules));
  const asked = useDebounced(finished, PAUSE_MS);
  const query = useQuery({
    ...previewQuery(orgId, JSON.parse(asked) as RuleGroup),
    placeholderData: keepPreviousData,
    enabled,
  });
  const queryClient = useQueryClient();
  const again = useMemo(
    () =>
      throttle(
        () => void queryClient.invalidateQueries({ queryKey: ['org', orgId, 'segment-preview'] }),
        REFRESH_MS,
      ),
    [queryClient, orgId],
  );
  useTopic(`org:${orgId}`, {
    onEvent: (event) => {
      if (event === 'contacts' || event === 'segments') again();
    },
  });
  const isCurrent = asked === finished && !query.isPlaceholderData;
  const found = isCurrent ? query.data?.problems : undefined;
  const problems = useMemo(
    () =>
      (found ?? []).map((problem) => ({
        ...problem,
        path: pathInWhole(JSON.parse(whole) as RuleGroup, problem.path),
      })),
    [found, whole],
  );
  return {
    data: query.data,
    isCounting: enabled && (!isCurrent || query.isPending),
    error: query.error,
    retry: () => void query.refetch(),
    problems,
  };
}
