import { useMutation, useQueryClient } from '@tanstack/react-query';
import { followJob } from '@/features/jobs/follow';
import { createExport } from '@/features/jobs/queries';
import { tellProblem } from '@/lib/tell';
import { inSegment } from './queries';

/** Starts a CSV of a segment's members; the job tells when it can be downloaded, on whatever page by then. */
export function useExportMembers(orgId: string) {
  const queryClient = useQueryClient();
  return useMutation({
    mutationFn: (segmentId: string) => createExport(orgId, { rules: inSegment(segmentId) }),
    onSuccess: (job) => followJob(queryClient, job),
    onError: tellProblem,
  });
}
