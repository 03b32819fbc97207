import { useQueryClient } from '@tanstack/react-query';
import { useCallback, useEffect, useRef, useState } from 'react';
import { useUser } from '@/features/auth/session';
import { describeError } from '@/lib/errors';
import { readStored, store } from '@/lib/storage';
import { draftPrefix } from '../local';
import type { Detail } from '../model';
import { campaignKey, detailQuery, updateCampaign } from '../queries';
import { changesBetween, type DraftValues, differencesBetween, valuesOf } from './draft';
import { isClash } from './merge-drafts';

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

/** What this device keeps: what was changed, the `updated_at` of the version it was changed on, and what these fields said there. */
interface Kept {
  base: string;
  changes: Partial<DraftValues>;
  was: Partial<DraftValues>;
}

function readKept(key: string): Kept | undefined {
  const { base, changes, was } = (readStored(key) ?? {}) as Partial<Kept>;
  return typeof base === 'string' && changes && was ? { base, changes, was } : undefined;
}

/** The draft on the screen, saved as it changes, and kept on this device until the database has it. */
export function useCampaignDraft(detail: Detail): CampaignDraft {
  const { campaign } = detail;
  const user = useUser();
  const queryClient = useQueryClient();
  const key = `${draftPrefix(user.id)}unsaved:${campaign.id}`;
  const [start] = useState(() => {
    const saved = valuesOf(detail);
    const kept = readKept(key);
    const values = { ...saved, ...kept?.changes };
    const isRestored = Object.keys(differencesBetween(saved, values)).length > 0;
    // A page that was left while it saved meets its own version here, and goes on from it.
    const isStopped =
      kept !== undefined && kept.base !== campaign.updated_at && isClash(kept.was, kept.changes, saved);
    const base = isStopped ? kept.base : campaign.updated_at;
    return { saved, values, isRestored, base, isStopped };
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

  const keep = useCallback(() => {
    const changes = differencesBetween(saved.current, latest.current);
    const was = differencesBetween(latest.current, saved.current);
    const kept: Kept = { base: base.current, changes, was };
    store(key, Object.keys(changes).length > 0 ? kept : undefined);
  }, [key]);

  /** Goes on from another version with what was changed here; what only they changed is theirs, and shown as theirs. */
  const adopt = useCallback(
    (other: Detail) => {
      const mine = differencesBetween(saved.current, latest.current);
      saved.current = valuesOf(other);
      latest.current = { ...saved.current, ...mine };
      base.current = other.campaign.updated_at;
      setValues(latest.current);
      setVersion(base.current);
      keep();
    },
    [keep],
  );

  const newestVersion = useCallback(
    () => queryClient.fetchQuery({ ...detailQuery(campaign.org_id, campaign.id), staleTime: 0 }),
    [campaign.id, campaign.org_id, queryClient],
  );

  const run = useCallback(async (): Promise<boolean> => {
    for (;;) {
      const sent = latest.current;
      const changes = changesBetween(saved.current, sent);
      if (Object.keys(changes).length === 0) {
        setState('saved');
        return true;
      }
      setState('saving');
      try {
        const row = await updateCampaign(campaign.id, changes, base.current);
        saved.current = { ...saved.current, ...changes };
        base.current = row.updated_at;
        setVersion(row.updated_at);
        setSavedAt(Date.now());
        setError(undefined);
        keep();
        void queryClient.invalidateQueries({ queryKey: campaignKey(campaign.org_id, 'list') });
      } catch (problem) {
        const isOvertaken = describeError(problem).code === 'CAMPAIGN_007';
        const newest = isOvertaken ? await newestVersion().catch(() => undefined) : undefined;
        const mine = differencesBetween(saved.current, latest.current);
        if (
          newest &&
          newest.campaign.updated_at !== base.current &&
          !isClash(saved.current, mine, valuesOf(newest))
        ) {
          adopt(newest);
          continue;
        }
        setError(problem);
        isStopped.current = isOvertaken;
        setState(isOvertaken ? 'clash' : 'failed');
        return false;
      }
    }
  }, [campaign.id, campaign.org_id, adopt, keep, newestVersion, queryClient]);

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
      const other = describeError(error).details.campaign as { updated_at?: unknown } | undefined;
      const theirs = typeof other?.updated_at === 'string' ? other.updated_at : '';
      if (campaign.updated_at >= theirs) adopt(detail);
      else base.current = theirs;
      keep();
      isStopped.current = false;
      void flush();
    },
    letGo: () => {
      latest.current = saved.current;
      store(key, undefined);
    },
  };
}
