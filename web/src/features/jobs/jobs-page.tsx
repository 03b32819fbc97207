import { Badge, Button, Group, Progress, Skeleton, Stack, Text } from '@mantine/core';
import { notifications } from '@mantine/notifications';
import { IconDownload, IconHistory, IconLock } from '@tabler/icons-react';
import { useMutation, useQuery, useQueryClient } from '@tanstack/react-query';
import { useNavigate } from '@tanstack/react-router';
import { Hint, LoadProblem } from '@/components/problem';
import { TextLink } from '@/components/text-link';
import { lastList } from '@/features/contacts/last-list';
import { membersQuery, useOrg } from '@/features/tenancy/queries';
import { useNow } from '@/lib/clock';
import { wordsFor } from '@/lib/errors';
import { POLL_MS } from '@/lib/realtime';
import { exactTime, relativeAge } from '@/lib/time';
import { downloadFile } from './download';
import classes from './import/import.module.css';
import { exportResultOf, importResultOf, isExpired, isOver, type Job, progressOf } from './model';
import { cancelJob, jobsKey, jobsQuery, useLiveJobs } from './queries';
import { jobSummary, jobTitle, statusNames } from './words';

const colors: Record<Job['status'], string> = {
  queued: 'gray',
  running: 'blue',
  waiting: 'yellow',
  done: 'green',
  failed: 'red',
  cancelled: 'gray',
};

export function JobsPage() {
  const org = useOrg();
  useLiveJobs();
  const jobs = useQuery({
    ...jobsQuery(org.orgId),
    enabled: org.can('contacts.bulk'),
    refetchInterval: ({ state }) => (state.data?.some((job) => !isOver(job)) ? POLL_MS : false),
  });
  const shown = jobs.data?.filter((job) => job.kind !== 'erasure');
  return (
    <div className={classes.page}>
      <nav aria-label="Breadcrumb" className={classes.crumbs}>
        <TextLink to="/contacts" search={lastList()}>
          Contacts
        </TextLink>
        <span aria-hidden>›</span>
        <span aria-current="page">Imports and exports</span>
      </nav>
      {!org.can('contacts.bulk') ? (
        <Hint icon={<IconLock size={28} stroke={1.5} />} title="This is for managers">
          Imports, exports and changes of many contacts are done by owners, admins and campaign managers.
        </Hint>
      ) : jobs.isError && !jobs.data ? (
        <LoadProblem error={jobs.error} what="imports and exports" onRetry={() => void jobs.refetch()} />
      ) : !shown ? (
        <Stack role="status" aria-label="Loading">
          {[0, 1, 2].map((row) => (
            <Skeleton key={row} height={92} radius="md" />
          ))}
        </Stack>
      ) : shown.length === 0 ? (
        <Hint
          icon={<IconHistory size={28} stroke={1.5} />}
          title="Nothing here yet"
          action={<TextLink to="/contacts/import">Import a file</TextLink>}
        >
          Imports, exports and changes of many contacts are listed here for a week.
        </Hint>
      ) : (
        <Stack component="ul" gap="sm" p={0} m={0} style={{ listStyle: 'none' }}>
          {shown.map((job) => (
            <JobRow key={job.id} job={job} />
          ))}
        </Stack>
      )}
    </div>
  );
}

function JobRow({ job }: { job: Job }) {
  const { orgId } = useOrg();
  const queryClient = useQueryClient();
  const navigate = useNavigate();
  const now = useNow(60_000);
  const members = useQuery(membersQuery(orgId));
  const maker = members.data?.find((member) => member.userId === job.created_by)?.name;
  const fail = (error: unknown) => notifications.show({ color: 'red', message: wordsFor(error) });
  const cancel = useMutation({
    mutationFn: () => cancelJob(job.id),
    onError: fail,
    onSettled: () => queryClient.invalidateQueries({ queryKey: jobsKey(orgId) }),
  });
  const file =
    job.kind === 'export' && job.status === 'done'
      ? exportResultOf(job)?.path
      : importResultOf(job)?.errors_path;
  const download = useMutation({ mutationFn: downloadFile, onError: fail });
  const percent = progressOf(job);
  return (
    <li className={classes.card}>
      <Group justify="space-between" align="flex-start" gap="sm">
        <div style={{ flex: '1 1 240px', minWidth: 0 }}>
          <Group gap="xs">
            <Text fw={600} style={{ overflowWrap: 'anywhere' }}>
              {jobTitle(job)}
            </Text>
            <Badge variant="light" color={colors[job.status]}>
              {statusNames[job.status]}
            </Badge>
          </Group>
          <Text size="sm">{jobSummary(job)}</Text>
          <Text size="sm" c="dimmed">
            <time dateTime={job.created_at} title={exactTime(job.created_at)}>
              {relativeAge(job.created_at, now)}
            </time>
            {maker && ` · ${maker}`}
          </Text>
        </div>
        <Group gap="xs">
          {job.kind === 'import' && !isOver(job) && (
            <Button
              size="xs"
              variant={job.status === 'waiting' ? 'filled' : 'default'}
              onClick={() => void navigate({ to: '/contacts/import', search: { job: job.id } })}
            >
              {job.status === 'waiting' ? 'Match columns' : 'Open'}
            </Button>
          )}
          {file &&
            (isExpired(job, now) ? (
              <Text size="sm" c="dimmed">
                The file is no longer kept
              </Text>
            ) : (
              <Button
                size="xs"
                variant="default"
                leftSection={<IconDownload size={16} />}
                loading={download.isPending}
                onClick={() => download.mutate(file)}
              >
                {job.kind === 'export' ? 'Download' : 'Download problem rows'}
              </Button>
            ))}
          {!isOver(job) && (
            <Button size="xs" variant="default" loading={cancel.isPending} onClick={() => cancel.mutate()}>
              Cancel
            </Button>
          )}
        </Group>
      </Group>
      {job.status === 'running' && (
        <Progress
          mt="sm"
          value={percent ?? 100}
          animated={percent === undefined}
          aria-label={`Progress of ${jobTitle(job)}`}
        />
      )}
    </li>
  );
}
