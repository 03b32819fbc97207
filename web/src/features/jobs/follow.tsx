import { Group, Loader, Text } from '@mantine/core';
import { notifications } from '@mantine/notifications';
import { IconCheck, IconDownload, IconX } from '@tabler/icons-react';
import type { QueryClient } from '@tanstack/react-query';
import { wordsFor } from '@/lib/errors';
import { joinTopic, POLL_MS } from '@/lib/realtime';
import { downloadFile } from './download';
import { exportResultOf, isOver, type Job, progressOf } from './model';
import { fetchJob, jobsKey } from './queries';
import { jobSummary, jobTitle } from './words';

const followed = new Set<string>();

/**
 * Tells when a job is over, on whatever page its maker is by then. Outlives the page that began it, which is why it is
 * no hook. Returns at once for a job that is done already, as small changes are.
 */
export function followJob(queryClient: QueryClient, job: Job): void {
  if (followed.has(job.id)) return;
  followed.add(job.id);
  const refresh = () => void queryClient.invalidateQueries({ queryKey: jobsKey(job.org_id) });
  refresh();
  show(job);
  if (isOver(job)) return;

  let busy = false;
  const look = async () => {
    if (busy) return;
    busy = true;
    try {
      const now = await fetchJob(job.id);
      show(now);
      if (isOver(now)) {
        stop();
        refresh();
        void queryClient.invalidateQueries({ queryKey: ['org', job.org_id, 'contacts'] });
        void queryClient.invalidateQueries({ queryKey: ['org', job.org_id, 'contact'] });
      }
    } catch {
      // The next event or the timer looks again.
    } finally {
      busy = false;
    }
  };
  const leave = joinTopic(`org:${job.org_id}`, {
    onEvent: (event, payload) => {
      if (event === 'job' && payload.job_id === job.id) void look();
    },
    onJoined: () => void look(),
  });
  const timer = setInterval(() => void look(), POLL_MS);
  const stop = () => {
    clearInterval(timer);
    leave();
  };
}

function show(job: Job): void {
  const id = `job-${job.id}`;
  const text = jobSummary(job);
  if (!isOver(job)) {
    const percent = progressOf(job);
    const toast = {
      id,
      color: 'gray',
      icon: <Loader size={16} color="gray" />,
      title: jobTitle(job),
      message: percent === undefined ? 'We tell you when it is done.' : `${text} · ${percent} %`,
      autoClose: false as const,
    };
    notifications.show(toast);
    notifications.update(toast);
    return;
  }
  const file = job.status === 'done' ? exportResultOf(job) : undefined;
  const toast = {
    id,
    color: job.status === 'done' ? 'green' : 'red',
    icon: job.status === 'done' ? <IconCheck size={16} aria-hidden /> : <IconX size={16} aria-hidden />,
    title: jobTitle(job),
    message: file ? <Ready text={text} path={file.path} /> : text,
    autoClose: file ? (false as const) : 8_000,
  };
  notifications.show(toast);
  notifications.update(toast);
}

function Ready({ text, path }: { text: string; path: string }) {
  return (
    <Group gap="xs">
      <Text size="sm">{text} ready.</Text>
      <button
        type="button"
        className="op-link-button"
        onClick={() =>
          downloadFile(path).catch((error: unknown) =>
            notifications.show({ color: 'red', message: wordsFor(error) }),
          )
        }
      >
        <IconDownload size={14} aria-hidden /> Download
      </button>
    </Group>
  );
}
