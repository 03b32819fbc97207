import { Button, Group, Progress, Stack, Text, Title } from '@mantine/core';
import { useMutation, useQueryClient } from '@tanstack/react-query';
import { useEffect } from 'react';
import { Problem } from '@/components/problem';
import { count, plural } from '@/lib/time';
import { followJob } from '../follow';
import { importResultOf, type Job, progressOf } from '../model';
import { cancelJob, jobsKey } from '../queries';
import { jobTitle } from '../words';
import classes from './import.module.css';

export function ImportProgress({ job }: { job: Job }) {
  const queryClient = useQueryClient();
  const percent = progressOf(job);
  const result = importResultOf(job);
  const cancel = useMutation({
    mutationFn: () => cancelJob(job.id),
    onSettled: () => queryClient.invalidateQueries({ queryKey: jobsKey(job.org_id) }),
  });
  // Whoever goes elsewhere is told when it is done.
  // biome-ignore lint/correctness/useExhaustiveDependencies: one job is followed once, whatever it reports since
  useEffect(() => () => followJob(queryClient, job), [job.id, queryClient]);
  return (
    <Stack className={classes.card}>
      <Title order={2} fz="xl" style={{ overflowWrap: 'anywhere' }}>
        {jobTitle(job)}
      </Title>
      <Progress
        value={percent ?? 100}
        animated={percent === undefined}
        size="lg"
        aria-label="Import progress"
      />
      <Group justify="space-between">
        <Text role="status">
          {job.status === 'queued' && !job.done_count
            ? 'Waiting its turn…'
            : job.total_count
              ? `${count(job.done_count ?? 0)} of about ${plural(job.total_count, 'row')}`
              : `${plural(job.done_count ?? 0, 'row')} so far`}
        </Text>
        {percent !== undefined && <Text c="dimmed">{percent} %</Text>}
      </Group>
      {result && (
        <Text size="sm" c="dimmed">
          {count(result.created)} added · {count(result.updated)} updated · {count(result.skipped)} skipped ·{' '}
          {count(result.failed)} with a problem
        </Text>
      )}
      <Text size="sm" c="dimmed">
        You can leave this page: the import goes on, and we tell you when it is done.
      </Text>
      <Problem error={cancel.error} />
      <Group>
        <Button variant="default" loading={cancel.isPending} onClick={() => cancel.mutate()}>
          Stop the import
        </Button>
      </Group>
    </Stack>
  );
}
