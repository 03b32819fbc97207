import { Alert, Button, Group, Stack, Text, Title } from '@mantine/core';
import { IconAlertCircle, IconDownload } from '@tabler/icons-react';
import { useMutation } from '@tanstack/react-query';
import { useNavigate } from '@tanstack/react-router';
import { Problem } from '@/components/problem';
import { count, plural } from '@/lib/time';
import { downloadFile } from '../download';
import { importResultOf, type Job } from '../model';
import { jobTitle, problemWords } from '../words';
import classes from './import.module.css';

const titles: Partial<Record<Job['status'], string>> = {
  done: 'Your contacts are here',
  failed: 'The import failed',
  cancelled: 'The import was stopped',
};

export function ImportResults({ job }: { job: Job }) {
  const navigate = useNavigate();
  const result = importResultOf(job);
  const download = useMutation({ mutationFn: downloadFile });
  const errors = result?.errors_path;
  const counts: [string, number][] = result
    ? [
        ['added', result.created],
        ['updated', result.updated],
        ['skipped', result.skipped],
        ['with a problem', result.failed],
      ]
    : [];
  return (
    <Stack className={classes.card}>
      <div role="status">
        <Title order={2} fz="xl">
          {titles[job.status]}
        </Title>
        <Text c="dimmed" style={{ overflowWrap: 'anywhere' }}>
          {jobTitle(job)}
        </Text>
      </div>
      {job.status === 'failed' && (
        <Alert color="red" role="alert" icon={<IconAlertCircle aria-hidden />}>
          {problemWords(job.problem)}
        </Alert>
      )}
      {job.status === 'cancelled' && <Text>What had been imported by then stays.</Text>}
      {result && (
        <dl className={classes.counts}>
          {counts.map(([word, value]) => (
            <div key={word}>
              <dt>{word}</dt>
              <dd>{count(value)}</dd>
            </div>
          ))}
        </dl>
      )}
      {errors && result && (
        <Alert color="yellow" icon={<IconAlertCircle aria-hidden />}>
          <Stack gap="xs" align="flex-start">
            <Text size="sm">
              {plural(result.failed, 'row')} could not be imported. Download{' '}
              {result.failed === 1 ? 'it with the reason, correct it' : 'them with the reasons, correct them'}{' '}
              and import that file.
            </Text>
            <Button
              size="xs"
              variant="default"
              leftSection={<IconDownload size={16} />}
              loading={download.isPending}
              onClick={() => download.mutate(errors)}
            >
              Download these rows
            </Button>
          </Stack>
        </Alert>
      )}
      <Problem error={download.error} />
      <Group>
        <Button onClick={() => void navigate({ to: '/contacts' })}>Show contacts</Button>
        <Button variant="default" onClick={() => void navigate({ to: '/contacts/import', search: {} })}>
          Import another file
        </Button>
      </Group>
    </Stack>
  );
}
