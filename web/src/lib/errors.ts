import { authWords } from './auth-errors';
import { catalogue } from './error-catalogue';

export interface Problem {
  /** The server's code, or one of ours: `offline`, `unknown`. */
  code: string;
  /** What happened and what to do, ready to be shown. */
  message: string;
  details: Record<string, unknown>;
  /** Whether the same request may well succeed when sent again. */
  retryable: boolean;
}

const OFFLINE = 'We can’t reach the server. Check your connection and try again.';
const UNKNOWN = 'Something went wrong on our side. Please try again in a moment.';

const serverWords: Record<string, string> = {
  PGRST301: 'Your session has ended. Sign in again.',
  PGRST302: 'Please sign in first.',
  PGRST303: 'Your session has ended. Sign in again.',
  PGRST116: 'We couldn’t find that. It may have been deleted.',
  PGRST001: 'The server is busy. Please try again in a moment.',
  PGRST002: 'The server is starting up. Please try again in a moment.',
  PGRST003: 'The server is busy. Please try again in a moment.',
  '42501': 'You don’t have permission to do that. Ask an owner or admin.',
  '57014': 'That took too long, so we stopped. Please try again.',
  '23505': 'This already exists.',
};

const transient = new Set(['PGRST001', 'PGRST002', 'PGRST003', '57014', 'request_timeout', 'hook_timeout']);

/** Turns anything a request can fail with into words a person can act on. Raw messages are never shown. */
export function describeError(error: unknown): Problem {
  const shape = (typeof error === 'object' && error !== null ? error : {}) as Record<string, unknown>;
  const code = typeof shape.code === 'string' ? shape.code : '';
  const status = typeof shape.status === 'number' ? shape.status : undefined;
  const details = readDetails(shape.details);

  if (isNetworkFailure(error, shape)) return { code: 'offline', message: OFFLINE, details, retryable: true };

  const known = catalogue[code] ?? authWords[code] ?? serverWords[code];
  if (known) {
    const message = typeof known === 'function' ? known(details) : known;
    return { code, message, details, retryable: transient.has(code) };
  }
  const unavailable = (status ?? 500) >= 500;
  return { code: code || 'unknown', message: UNKNOWN, details, retryable: unavailable };
}

export const wordsFor = (error: unknown): string => describeError(error).message;

export function hasCode(error: unknown, code: string): boolean {
  return describeError(error).code === code;
}

/** The catalogue's `details` travel as JSON text, because PostgREST allows nothing else there. */
function readDetails(details: unknown): Record<string, unknown> {
  if (typeof details !== 'string') return {};
  try {
    const value: unknown = JSON.parse(details);
    return typeof value === 'object' && value !== null ? (value as Record<string, unknown>) : {};
  } catch {
    return {};
  }
}

function isNetworkFailure(error: unknown, shape: Record<string, unknown>): boolean {
  if (error instanceof TypeError && /fetch|network|load failed/i.test(error.message)) return true;
  if (shape.name === 'AuthRetryableFetchError') return true;
  // supabase-js turns a failed fetch into an empty code with the TypeError in the message.
  return (
    shape.code === '' &&
    typeof shape.message === 'string' &&
    /^(TypeError|AbortError|FetchError)/.test(shape.message)
  );
}
