import { Skeleton, Stack, Text, Title } from '@mantine/core';
import { IconLock } from '@tabler/icons-react';
import { useQuery } from '@tanstack/react-query';
import { getRouteApi } from '@tanstack/react-router';
import { Suspense } from 'react';
import { Hint, LoadProblem } from '@/components/problem';
import { TextLink } from '@/components/text-link';
import { lastList } from '@/features/contacts/last-list';
import { useOrg } from '@/features/tenancy/queries';
import { lazyPart } from '@/lib/lazy-part';
import { POLL_MS } from '@/lib/realtime';
import { inspectionOf, isOver, type Job } from '../model';
import { jobQuery, useLiveJobs } from '../queries';
import classes from './import.module.css';
import { ImportProgress } from './import-progress';
import { ImportResults } from './import-results';
import { ImportUpload } from './import-upload';

const route = getRouteApi('/_app/contacts/import');

const ImportMapping = lazyPart(async () => (await import('./import-mapping')).ImportMapping);

/** The job's id is in the address, so a reload or a colleague's visit finds the import where it is. */
export function ImportPage() {
  const { job: jobId } = route.useSearch();
  const org = useOrg();
  return (
    <div className={classes.page}>
      <nav aria-label="Breadcrumb" className={classes.crumbs}>
        <TextLink to="/contacts" search={lastList()}>
          Contacts
        </TextLink>
        <span aria-hidden>›</span>
        <span aria-current="page">Import</span>
      </nav>
      {!org.can('contacts.bulk') ? (
        <Hint icon={<IconLock size={28} stroke={1.5} />} title="Imports are for managers">
          Ask an owner, admin or campaign manager to import contacts.
        </Hint>
      ) : jobId ? (
        <Import key={jobId} jobId={jobId} />
      ) : (
        <ImportUpload />
      )}
    </div>
  );
}

function Import({ jobId }: { jobId: string }) {
  const { orgId } = useOrg();
  useLiveJobs();
  const job = useQuery({
    ...jobQuery(orgId, jobId),
    // Events may get lost; a job that moves is looked at anyway.
    refetchInterval: ({ state }) =>
      state.data && (isOver(state.data) || state.data.status === 'waiting') ? false : POLL_MS,
  });
  if (job.isError && !job.data)
    return <LoadProblem error={job.error} what="this import" onRetry={() => void job.refetch()} />;
  if (!job.data) return <Skeleton height={280} radius="md" role="status" aria-label="Loading" />;
  return <Step job={job.data} />;
}

function Step({ job }: { job: Job }) {
  if (isOver(job)) return <ImportResults job={job} />;
  const inspection = inspectionOf(job);
  if (job.status === 'waiting' && inspection)
    return (
      <Suspense fallback={<Skeleton height={280} radius="md" role="status" aria-label="Loading" />}>
        <ImportMapping job={job} inspection={inspection} />
      </Suspense>
    );
  if (inspection || job.input?.mapping) return <ImportProgress job={job} />;
  return (
    <Stack className={classes.card} role="status">
      <Title order={2} fz="lg">
        Looking at your file…
      </Title>
      <Text c="dimmed">We read its first lines to find out what its columns hold.</Text>
      <Skeleton height={36} />
      <Skeleton height={36} />
      <Skeleton height={36} />
    </Stack>
  );
}
