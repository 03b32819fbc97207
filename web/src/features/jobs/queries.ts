import { queryOptions, useQueryClient } from '@tanstack/react-query';
import { useMemo } from 'react';
import { call, table } from '@/features/contacts/api';
import type { Selection } from '@/features/contacts/selection';
import { useOrg } from '@/features/tenancy/queries';
import { throttle } from '@/lib/coalesce';
import { useTopic } from '@/lib/realtime';
import { answer } from '@/lib/supabase';
import type { Job } from './model';

const COLUMNS =
  'id, org_id, kind, status, input, result, problem, done_count, total_count, created_by, created_at, started_at, finished_at, expires_at';

/** A job says how far it is many times a second; a bar need not move oftener than this. */
const JOBS_MS = 500;

export const jobsKey = (orgId: string) => ['org', orgId, 'jobs'] as const;

export function jobsQuery(orgId: string) {
  return queryOptions({
    queryKey: [...jobsKey(orgId), 'recent'],
    queryFn: (): Promise<Job[]> =>
      answer(
        table('jobs')
          .select(COLUMNS)
          .eq('org_id', orgId)
          .order('created_at', { ascending: false })
          .limit(100) as PromiseLike<{ data: Job[] | null; error: unknown }>,
      ),
  });
}

export async function fetchJob(id: string): Promise<Job> {
  return answer(
    table('jobs').select(COLUMNS).eq('id', id).single() as PromiseLike<{ data: Job | null; error: unknown }>,
  );
}

export function jobQuery(orgId: string, id: string) {
  return queryOptions({ queryKey: [...jobsKey(orgId), id], queryFn: () => fetchJob(id) });
}

export function useLiveJobs(): void {
  const queryClient = useQueryClient();
  const { orgId } = useOrg();
  const refresh = useMemo(
    () => throttle(() => void queryClient.invalidateQueries({ queryKey: jobsKey(orgId) }), JOBS_MS),
    [queryClient, orgId],
  );
  useTopic(`org:${orgId}`, {
    onEvent: (event) => {
      if (event === 'job') refresh();
    },
    onJoined: refresh,
  });
}

export type ContactsChange =
  | { action: 'add_tags' | 'remove_tags'; tag_ids: string[] }
  | { action: 'set_consent'; status: string; source: string; evidence: string | null }
  | { action: 'set_lifecycle_stage'; stage: string }
  | { action: 'delete' }
  | { action: 'restore' };

export const changeContacts = (orgId: string, selection: Selection, change: ContactsChange): Promise<Job> =>
  call<Job>('change_contacts', { p_org_id: orgId, p_selection: selection, p_change: change });

export const createExport = (orgId: string, selection: Selection): Promise<Job> =>
  call<Job>('create_export', { p_org_id: orgId, p_selection: selection });

export const cancelJob = (id: string): Promise<unknown> => call('cancel_job', { p_job_id: id });
