import { useEffect, useRef, useState } from 'react';
import { readDraft, writeDraft } from './drafts';
import type { RuleGroup } from './model';

export interface FormValues {
  name: string;
  description: string;
  rules: RuleGroup;
}

export interface SegmentDraft {
  values: FormValues;
  set: (change: Partial<FormValues>) => void;
  /** `updated_at` of the version the edit began from; null for a new segment. */
  base: string | null;
  isDirty: boolean;
  /** What is shown was left behind by an earlier visit. */
  isRestored: boolean;
  startOver: () => void;
  /** Goes on from somebody else's version. */
  take: (values: FormValues, base: string) => void;
  /** The same words under another name: the form is about to become another one. */
  moveTo: (key: string) => void;
  /** Saved or thrown away: nothing is kept, and leaving needs no question. */
  finish: () => void;
  isFinished: () => boolean;
}

const same = (a: FormValues, b: FormValues) =>
  a.name === b.name && a.description === b.description && JSON.stringify(a.rules) === JSON.stringify(b.rules);

/** The values of the builder, kept on this device while they differ from what is saved. */
export function useSegmentDraft(key: string, start: FormValues, savedAt: string | null): SegmentDraft {
  const [origin, setOrigin] = useState(start);
  const [{ values, base, isRestored }, setState] = useState(() => {
    const draft = readDraft(key);
    if (!draft || same(draft, start)) return { values: start, base: savedAt, isRestored: false };
    const { base: from, ...restored } = draft;
    return { values: restored, base: from, isRestored: true };
  });
  const isDirty = !same(values, origin);
  const finished = useRef(false);
  useEffect(() => {
    if (!finished.current) writeDraft(key, isDirty ? { ...values, base } : undefined);
  }, [key, values, base, isDirty]);
  return {
    values,
    base,
    isDirty,
    isRestored,
    set: (change) => setState((old) => ({ ...old, values: { ...old.values, ...change } })),
    startOver: () => {
      setOrigin(start);
      setState({ values: start, base: savedAt, isRestored: false });
    },
    take: (next, from) => {
      setOrigin(next);
      setState({ values: next, base: from, isRestored: false });
    },
    moveTo: (next) => {
      finished.current = true;
      writeDraft(key, undefined);
      writeDraft(next, isDirty ? { ...values, base } : undefined);
    },
    finish: () => {
      finished.current = true;
      writeDraft(key, undefined);
    },
    isFinished: () => finished.current,
  };
}
