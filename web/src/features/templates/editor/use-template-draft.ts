import { useQueryClient } from '@tanstack/react-query';
import { useCallback, useEffect, useRef, useState } from 'react';
import { describeError } from '@/lib/errors';
import { editsAtMeta, type Template } from '../model';
import { createTemplate, submitTemplate, templateQuery, templatesKey, updateTemplate } from '../queries';
import { type Draft, draftKey, readDraft, writeDraft } from './drafts';
import { fieldsOf, type TemplateFields } from './fields';
import { type EditorValues, readTemplate, valuesOf } from './values';

/** After the last key; long enough not to save every word, short enough to lose none. */
const SAVE_AFTER_MS = 1_500;
const TRY_AGAIN_AFTER_MS = 5_000;

export interface TemplateDraft {
  values: EditorValues;
  change: (change: Partial<EditorValues>) => void;
  /** The template as the database has it; absent until it was first saved. */
  row: Template | undefined;
  fields: TemplateFields;
  /** Whether what is shown differs from what the database has. */
  isDirty: boolean;
  isSaving: boolean;
  savedAt: number | undefined;
  error: unknown;
  /** What is shown was left behind by an earlier visit. */
  isRestored: boolean;
  /** What is shown was sent to Meta, which did not take it. */
  isRefused: boolean;
  startOver: () => void;
  /** Somebody else saved meanwhile: their version. */
  other: Template | undefined;
  takeOther: () => void;
  keepMine: () => void;
  /** Saves now what is not saved; answers the row as it is then. */
  flush: () => Promise<Template>;
  /** Saves, and submits what was saved: not what somebody else has made of it since. */
  submit: () => Promise<Template>;
  /** Submitted or sent: only a change is kept, as Meta may not take it and the database then has what was before. */
  finish: () => void;
}

interface DraftOptions {
  orgId: string;
  userId: string;
  template: Template | undefined;
  start: EditorValues;
  onCreated: (template: Template) => void;
}

const textOf = (fields: TemplateFields) => JSON.stringify(fields);
const textOfRow = (row: Template) => textOf(fieldsOf(valuesOf(row)));

interface Base {
  at: string | null;
  saved?: string;
  sent?: string[];
}
const baseOf = (row: Template): Base => ({ at: row.updated_at, saved: textOfRow(row) });

/** The newer version the database refused a write for. */
function versionIn(cause: unknown): Template | undefined {
  const { code, details } = describeError(cause);
  return code === 'TEMPLATE_010' ? readTemplate(details.template) : undefined;
}

/** The values of the builder: kept on this device at every key, and in the database as soon as the typing pauses. */
export function useTemplateDraft({ orgId, userId, template, start, onCreated }: DraftOptions): TemplateDraft {
  const queryClient = useQueryClient();
  const [row, setRow] = useState(template);
  const key = draftKey(userId, row?.id ?? 'new');
  const [begun] = useState(() => {
    const kept = readDraft(key);
    if (!kept || textOf(fieldsOf(kept.values)) === textOf(fieldsOf(start))) return undefined;
    return kept.isSent && !template?.problem ? undefined : kept;
  });
  const [{ values, isRestored }, setShown] = useState({
    values: begun?.values ?? start,
    isRestored: begun !== undefined,
  });
  // The version the values were made on, which may be older than the row.
  const [base, setBase] = useState<Base>(() =>
    begun?.base
      ? { at: begun.base, saved: begun.saved, sent: begun.sent }
      : template
        ? baseOf(template)
        : { at: null },
  );
  const [savedText, setSavedText] = useState(() => (template ? textOfRow(template) : undefined));
  const [isSaving, setSaving] = useState(false);
  const [savedAt, setSavedAt] = useState<number>();
  const [error, setError] = useState<{ text: string; cause: unknown; again: boolean }>();
  const [other, setOther] = useState<Template>();
  const finished = useRef(false);
  // The change Meta is asked for, and the version it was made on.
  const asked = useRef<Draft | undefined>(undefined);

  const fields = fieldsOf(values);
  const text = textOf(fields);
  const isDirty = text !== (savedText ?? textOf(fieldsOf(start)));
  const latest = useRef({ row, values, fields, text, base, savedText });
  latest.current = { row, values, fields, text, base, savedText };
  const running = useRef<Promise<Template> | undefined>(undefined);

  useEffect(() => {
    if (!finished.current)
      writeDraft(key, isDirty ? { values, base: base.at, saved: base.saved, sent: base.sent } : undefined);
  }, [key, values, base, isDirty]);

  const accept = useCallback(
    (saved: Template, sentText: string) => {
      const isNew = !latest.current.row;
      const next = { at: saved.updated_at, saved: sentText };
      latest.current = { ...latest.current, row: saved, base: next, savedText: sentText };
      if (isNew) writeDraft(draftKey(userId, 'new'), undefined);
      if (latest.current.text === sentText) writeDraft(draftKey(userId, saved.id), undefined);
      setRow(saved);
      setBase(next);
      setSavedText(sentText);
      setSavedAt(Date.now());
      setError(undefined);
      queryClient.setQueryData(templateQuery(orgId, saved.id).queryKey, saved);
      void queryClient.invalidateQueries({ queryKey: templatesKey(orgId, 'list') });
      if (isNew) onCreated(saved);
    },
    [orgId, userId, queryClient, onCreated],
  );

  const send = useCallback(async (): Promise<Template> => {
    const { row: known, values: shown, fields: sent, text: sentText, base: expected } = latest.current;
    asked.current =
      known && editsAtMeta(known)
        ? { values: shown, base: expected.at, saved: expected.saved, isSent: true }
        : undefined;
    // A few are enough: the last ones whose answers were lost.
    const unanswered = [...(expected.sent ?? []), sentText].slice(-5);
    if (known) setBase({ ...expected, sent: unanswered });
    try {
      const saved = known
        ? await updateTemplate(known.id, sent, expected.at ?? known.updated_at)
        : await createTemplate(orgId, sent);
      accept(saved, sentText);
      return saved;
    } catch (cause) {
      const theirs = versionIn(cause);
      const theirText = theirs && textOfRow(theirs);
      // Only its time moved (Meta said something of it), or it is what was being saved when the page was left.
      if (theirs && known && theirText !== undefined && [expected.saved, ...unanswered].includes(theirText)) {
        const saved = await updateTemplate(known.id, sent, theirs.updated_at);
        accept(saved, sentText);
        return saved;
      }
      if (theirs) setOther(theirs);
      throw cause;
    }
  }, [orgId, accept]);

  const save = useCallback((): Promise<Template> => {
    running.current ??= (async () => {
      setSaving(true);
      const { text: sentText } = latest.current;
      try {
        return await send();
      } catch (cause) {
        setError({ text: sentText, cause, again: describeError(cause).retryable });
        throw cause;
      } finally {
        running.current = undefined;
        setSaving(false);
      }
    })();
    return running.current;
  }, [send]);

  const autosaves = !(row && editsAtMeta(row)) && fields.name !== '' && !other;
  const isRefused = error?.text === text && !error.again;
  const wants = autosaves && isDirty && !isSaving && !isRefused;
  const wantsRef = useRef(wants);
  wantsRef.current = wants || (autosaves && isDirty && isSaving);
  const delay = error?.again ? TRY_AGAIN_AFTER_MS : SAVE_AFTER_MS;
  // biome-ignore lint/correctness/useExhaustiveDependencies: each change of the text starts the wait anew
  useEffect(() => {
    if (!wants) return;
    const timer = setTimeout(() => void save().catch(() => {}), delay);
    return () => clearTimeout(timer);
  }, [text, wants, delay, save]);
  // Who leaves before the pause is over has typed the last words all the same.
  useEffect(
    () => () => {
      if (!wantsRef.current || finished.current) return;
      const before = running.current ?? Promise.resolve();
      void before.then(
        () => void save().catch(() => {}),
        () => {},
      );
    },
    [save],
  );

  const flush = async () => {
    if (running.current) await running.current.catch(() => {});
    const { row: known, text: now, savedText: then } = latest.current;
    return known && now === then ? known : save();
  };

  return {
    values,
    change: useCallback(
      (change) => setShown((old) => ({ values: { ...old.values, ...change }, isRestored: old.isRestored })),
      [],
    ),
    row,
    fields,
    isDirty,
    isSaving,
    savedAt,
    error: error?.text === text || error?.again ? error.cause : undefined,
    isRestored,
    isRefused: isRestored && begun?.isSent === true,
    startOver: () => {
      const values = row ? valuesOf(row) : start;
      if (row) setBase(baseOf(row));
      setShown({ values, isRestored: false });
      setError(undefined);
    },
    other,
    takeOther: () => {
      if (!other) return;
      setRow(other);
      setBase(baseOf(other));
      setSavedText(textOfRow(other));
      setShown({ values: valuesOf(other), isRestored: false });
      setOther(undefined);
      setError(undefined);
    },
    keepMine: () => {
      if (!other) return;
      setRow(other);
      setBase(baseOf(other));
      setSavedText(textOfRow(other));
      setOther(undefined);
      setError(undefined);
    },
    flush,
    submit: async () => {
      const { id, updated_at } = await flush();
      try {
        return await submitTemplate(id, updated_at);
      } catch (cause) {
        const theirs = versionIn(cause);
        if (!theirs) throw cause;
        // Only its time moved: it says what was reviewed.
        if (textOfRow(theirs) === latest.current.savedText) return submitTemplate(id, theirs.updated_at);
        setOther(theirs);
        throw cause;
      }
    },
    finish: () => {
      finished.current = true;
      writeDraft(key, asked.current);
    },
  };
}
