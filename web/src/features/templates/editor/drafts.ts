import * as z from 'zod/mini';
import { readStored, store } from '@/lib/storage';
import { draftPrefix } from '../local';
import type { EditorValues } from './values';

export interface Draft {
  values: EditorValues;
  /** `updated_at` of the version it began from; null for one the database does not have. */
  base: string | null;
  /** What that version said, as text: tells another version from one of which only the time moved. */
  saved?: string;
  /** What was sent without an answer so far, as texts: a page left meanwhile meets one of them as another version. */
  sent?: string[];
  /** On its way to Meta: only of use again when Meta does not take it. */
  isSent?: boolean;
}

/** Enough to know that it is a draft of this version of the editor; an older one is dropped. */
const schema = z.object({
  base: z.nullable(z.string()),
  saved: z.optional(z.string()),
  sent: z.optional(z.array(z.string())),
  isSent: z.optional(z.boolean()),
  values: z.looseObject({
    name: z.string(),
    language: z.string(),
    category: z.enum(['marketing', 'utility', 'authentication']),
    format: z.enum(['positional', 'named']),
    header: z.looseObject({ kind: z.string(), text: z.string() }),
    body: z.string(),
    footer: z.string(),
    buttons: z.array(z.looseObject({ id: z.string(), kind: z.string(), redirect: z.string() })),
    cards: z.array(z.looseObject({ id: z.string(), body: z.string(), buttons: z.array(z.unknown()) })),
    cardHeader: z.enum(['image', 'video']),
    samples: z.record(z.string(), z.string()),
    kept: z.array(z.unknown()),
  }),
});

export const draftKey = (userId: string, what: string) => `${draftPrefix(userId)}draft:${what}`;

export function readDraft(key: string): Draft | undefined {
  const read = schema.safeParse(readStored(key));
  return read.success ? (read.data as unknown as Draft) : undefined;
}

export const writeDraft = (key: string, draft: Draft | undefined): void => store(key, draft);
