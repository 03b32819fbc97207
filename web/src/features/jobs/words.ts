import { catalogue } from '@/lib/error-catalogue';
import { count, plural } from '@/lib/time';
import { changedCount, exportResultOf, importResultOf, isOver, type Job } from './model';

const changes: Record<string, string> = {
  add_tags: 'Adding tags',
  remove_tags: 'Removing tags',
  set_consent: 'Changing opt-in',
  set_lifecycle_stage: 'Setting the stage',
  delete: 'Moving to the trash',
  restore: 'Restoring from the trash',
};

export function jobTitle(job: Job): string {
  const file = job.input?.file_name;
  if (job.kind === 'import') return typeof file === 'string' ? `Import of ${file}` : 'Import';
  if (job.kind === 'export')
    return job.input?.campaign_id ? 'Export of a campaign’s recipients' : 'Export of contacts';
  if (job.kind === 'erasure') return 'Erasing a person’s data';
  const change = job.input?.change as { action?: string } | undefined;
  return changes[change?.action ?? ''] ?? 'Changing contacts';
}

export const statusNames: Record<Job['status'], string> = {
  queued: 'Waiting its turn',
  running: 'Running',
  waiting: 'Waiting for you',
  done: 'Done',
  failed: 'Failed',
  cancelled: 'Cancelled',
};

/** What came of it, or how far it is. */
export function jobSummary(job: Job): string {
  if (job.status === 'failed') return problemWords(job.problem);
  const imported = importResultOf(job);
  if (imported && isOver(job)) {
    return [
      `${count(imported.created)} added`,
      `${count(imported.updated)} updated`,
      `${count(imported.skipped)} skipped`,
      `${count(imported.failed)} with a problem`,
    ].join(' · ');
  }
  if (job.status === 'cancelled') return 'Stopped before it was finished.';
  const exported = exportResultOf(job);
  if (exported && job.status === 'done') return plural(exported.rows, 'contact');
  if (job.status === 'done') return `${plural(changedCount(job), 'contact')} changed`;
  if (job.status === 'waiting') return 'Match its columns to go on.';
  if (job.total_count) return `${count(job.done_count ?? 0)} of ${plural(job.total_count, 'contact')}`;
  return '';
}

/** `problem` is a code of the catalogue, or a sentence a worker wrote. */
export function problemWords(problem: string | null): string {
  const known = catalogue[problem ?? ''];
  if (known) return typeof known === 'function' ? known({}) : known;
  // Anything that looks like a code or a program's own message is not for people's eyes.
  if (problem && /^[A-Z][^_{}]*[.!?]$/.test(problem) && problem.length < 300) return problem;
  return 'Something went wrong on our side. Please try again.';
}
