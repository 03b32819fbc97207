import type { FieldProblem } from './import/mapping';

export type JobKind = 'import' | 'export' | 'bulk_change' | 'erasure';
export type JobStatus = 'queued' | 'running' | 'waiting' | 'done' | 'failed' | 'cancelled';

export interface ImportColumn {
  index: number;
  name: string | null;
  sample: string[];
  suggested: string | null;
}

/** What a worker found in an uploaded file. */
export interface Inspection {
  encoding: string | null;
  delimiter: string | null;
  sheet: string | null;
  has_header: boolean;
  columns: ImportColumn[];
  preview: string[][];
  rows_estimate: number | null;
}

export interface ImportResult {
  created: number;
  updated: number;
  skipped: number;
  failed: number;
  errors_path: string | null;
}

export interface ExportResult {
  path: string;
  rows: number;
}

export interface Job {
  id: string;
  org_id: string;
  kind: JobKind;
  status: JobStatus;
  input: Record<string, unknown> | null;
  result: Record<string, unknown> | null;
  problem: string | null;
  done_count: number | null;
  total_count: number | null;
  created_by: string | null;
  created_at: string;
  started_at: string | null;
  finished_at: string | null;
  expires_at: string | null;
}

export interface PreviewRow {
  line: number;
  values: Record<string, unknown>;
  problems: FieldProblem[];
}

export const isOver = (job: Pick<Job, 'status'>): boolean =>
  job.status === 'done' || job.status === 'failed' || job.status === 'cancelled';

/** 0 to 100; undefined while nobody knows how much there is. */
export function progressOf(job: Pick<Job, 'done_count' | 'total_count'>): number | undefined {
  if (!job.total_count) return undefined;
  return Math.min(100, Math.round(((job.done_count ?? 0) / job.total_count) * 100));
}

export function inspectionOf(job: Job): Inspection | undefined {
  return Array.isArray(job.result?.columns) ? (job.result as unknown as Inspection) : undefined;
}

export function importResultOf(job: Job): ImportResult | undefined {
  return typeof job.result?.created === 'number' ? (job.result as unknown as ImportResult) : undefined;
}

export function exportResultOf(job: Job): ExportResult | undefined {
  return typeof job.result?.path === 'string' ? (job.result as unknown as ExportResult) : undefined;
}

/** How many contacts a bulk change really changed: who had the tag already is not counted. */
export const changedCount = (job: Job): number =>
  typeof job.result?.changed === 'number' ? job.result.changed : (job.done_count ?? 0);

/** Files are kept for a while only. */
export const isExpired = (job: Job, now: number): boolean =>
  job.expires_at !== null && Date.parse(job.expires_at) <= now;
