import { useQueryClient } from '@tanstack/react-query';
import { useCallback, useEffect, useRef, useState } from 'react';
import { useUser } from '@/features/auth/session';
import { describeError } from '@/lib/errors';
import { readStored, store } from '@/lib/storage';
import { draftPrefix } from '../local';
import type { Detail } from '../model';
import { campaignKey, readDetail, updateCampaign } from '../queries';
import { changedFields, changesBetween, type DraftValues, valuesOf } from './draft';
import { type Changes, changesHere, mergeChanges } from './merge-drafts';

/** Long enough to finish a word, short enough that nobody waits for "saved". */
const PAUSE_MS = 700;

export type SaveState = 'saved' | 'waiting' | 'saving' | 'failed' | 'clash';

export interface CampaignDraft {
  values: DraftValues;
  set: (change: Partial<DraftValues>) => void;
  state: SaveState;
  /** Why the last save failed. */
  error: unknown;
  savedAt: number | undefined;
  /** The version at the database; what asks the database about the draft is asked anew with it. */
  version: string;
  /** Whether something typed on an earlier visit was brought back. */
  isRestored: boolean;
  /** Saves what is not saved yet; false when it could not be. */
  flush: () => Promise<boolean>;
  /** After a clash: what is on the screen wins over what somebody else saved meanwhile. */
  keepMine: () => void;
  /** Forgets what this device keeps, so that the other version can be shown. */
  letGo: () => void;
}

/** What this device keeps: what was changed, and on what. */
interface Kept {
  /** `updated_at` of the version it was changed on. */
  base: string;
  changes: Changes;
  /** What these fields said there. */
  was: Changes;
  /** What was sent without an answer so far. */
  sent?: Changes | undefined;
}

function readKept(key: string): Kept | undefined {
  const { base, changes, was, sent } = (readStored(key) ?? {}) as Partial<Kept>;
  return typeof base === 'string' && changes && was ? { base, changes, was, sent } : undefined;
}

/** What the wizard begins with: what the database has, and on top of it what an earlier visit could not save. */
function begin(detail: Detail, kept: Kept | undefined) {
  const theirs = valuesOf(detail);
  const at = detail.campaign.updated_at;
  const { base, changes, was, sent }: Kept = kept ?? { base: at, changes: {}, was: {} };
  // A page that was left while it saved meets its own version here, and goes on from it.
  const merged = base === at ? changes : mergeChanges(theirs, changes, [was, sent ?? {}]);
  return merged
    ? { saved: theirs, values: { ...theirs, ...merged }, base: at, isStopped: false }
    : { saved: { ...theirs, ...was }, values: { ...theirs, ...changes }, base, isStopped: true };
}

/** The draft on the screen, saved as it changes, and kept on this device until the database has it. */
export function useCampaignDraft(detail: Detail): CampaignDraft {
  const { campaign } = detail;
  const user = useUser();
  const queryClient = useQueryClient();
  const key = `${draftPrefix(user.id)}unsaved:${campaign.id}`;
  const [start] = useState(() => {
    const kept = readKept(key);
    const begun = begin(detail, kept);
    const isRestored = changedFields(valuesOf(detail), begun.values).length > 0;
    return { ...begun, isRestored, sent: kept?.sent };
  });
  const [values, setValues] = useState(start.values);
  const [state, setState] = useState<SaveState>(
    start.isStopped ? 'clash' : start.isRestored ? 'waiting' : 'saved',
  );
  const [error, setError] = useState<unknown>();
  const [savedAt, setSavedAt] = useState<number>();
  const [version, setVersion] = useState(campaign.updated_at);

  const latest = useRef(values);
  const saved = useRef(start.saved);
  const base = useRef(start.base);
  const running = useRef<Promise<boolean> | undefined>(undefined);
  const isStopped = useRef(start.isStopped);
  const sent = useRef(start.sent);
  /** The version that stands against what was changed here. */
  const other = useRef(start.isStopped ? detail : undefined);

  const keep = useCallback(() => {
    const here = changesHere(saved.current, latest.current);
    const kept: Kept = { base: base.current, ...here, sent: sent.current };
    store(key, Object.keys(here.changes).length > 0 ? kept : undefined);
  }, [key]);

  // What an earlier visit kept and the database has by now need not be kept.
  useEffect(keep, [keep]);

  /** Goes on from another version with one's own changes; what only they changed is theirs, and shown as theirs. */
  const adopt = useCallback(
    (theirs: Detail, changes: Changes) => {
      saved.current = valuesOf(theirs);
      latest.current = { ...saved.current, ...changes };
      base.current = theirs.campaign.updated_at;
      sent.current = undefined;
      setValues(latest.current);
      setVersion(base.current);
      keep();
    },
    [keep],
  );

  const run = useCallback(async (): Promise<boolean> => {
    for (;;) {
      const changes = changesBetween(saved.current, latest.current);
      if (Object.keys(changes).length === 0) {
        setState('saved');
        return true;
      }
      setState('saving');
      sent.current = { ...sent.current, ...changes };
      keep();
      try {
        const row = await updateCampaign(campaign.id, changes, base.current);
        saved.current = { ...saved.current, ...changes };
        base.current = row.updated_at;
        sent.current = undefined;
        setVersion(row.updated_at);
        setSavedAt(Date.now());
        setError(undefined);
        keep();
        void queryClient.invalidateQueries({ queryKey: campaignKey(campaign.org_id, 'list') });
      } catch (problem) {
        const isOvertaken = describeError(problem).code === 'CAMPAIGN_007';
        const newest = isOvertaken ? await readDetail(campaign.id).catch(() => undefined) : undefined;
        if (newest && newest.campaign.updated_at > base.current) {
          const { changes: mine, was } = changesHere(saved.current, latest.current);
          const merged = mergeChanges(valuesOf(newest), mine, [was, sent.current ?? {}]);
          if (merged) {
            adopt(newest, merged);
            continue;
          }
        }
        other.current = newest;
        setError(problem);
        isStopped.current = isOvertaken;
        setState(isOvertaken ? 'clash' : 'failed');
        return false;
      }
    }
  }, [campaign.id, campaign.org_id, adopt, keep, queryClient]);

  const flush = useCallback((): Promise<boolean> => {
    if (isStopped.current) return Promise.resolve(false);
    running.current ??= run().finally(() => {
      running.current = undefined;
    });
    return running.current;
  }, [run]);

  // biome-ignore lint/correctness/useExhaustiveDependencies: each change of the values starts the pause anew
  useEffect(() => {
    const timer = setTimeout(() => void flush(), PAUSE_MS);
    return () => clearTimeout(timer);
  }, [values, flush]);

  // Leaving the wizard must not cost the last half second; what fails then is still on this device.
  useEffect(
    () => () => {
      if (Object.keys(changesBetween(saved.current, latest.current)).length > 0) void flush();
    },
    [flush],
  );

  const set = useCallback(
    (change: Partial<DraftValues>) => {
      latest.current = { ...latest.current, ...change };
      setValues(latest.current);
      if (!isStopped.current) setState('waiting');
      keep();
    },
    [keep],
  );

  return {
    values,
    set,
    state,
    error,
    savedAt,
    version,
    isRestored: start.isRestored,
    flush,
    keepMine: () => {
      if (other.current) adopt(other.current, changesHere(saved.current, latest.current).changes);
      else {
        // It could not be read: only its version is known, and the fields that were not changed here are left alone.
        const theirs = describeError(error).details.campaign as { updated_at?: unknown } | undefined;
        if (typeof theirs?.updated_at === 'string') base.current = theirs.updated_at;
        keep();
      }
      isStopped.current = false;
      void flush();
    },
    letGo: () => {
      latest.current = saved.current;
      store(key, undefined);
    },
  };
}
