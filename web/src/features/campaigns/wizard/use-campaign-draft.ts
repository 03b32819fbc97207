import { useQueryClient } from '@tanstack/react-query';
import { useCallback, useEffect, useRef, useState } from 'react';
import { useUser } from '@/features/auth/session';
import { describeError } from '@/lib/errors';
import { readStored, store } from '@/lib/storage';
import { draftPrefix } from '../local';
import type { Detail } from '../model';
import { campaignKey, updateCampaign } from '../queries';
import { changesBetween, type DraftValues, valuesOf } from './draft';

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

/** The draft on the screen, saved as it changes, and kept on this device until the database has it. */
export function useCampaignDraft(detail: Detail): CampaignDraft {
  const { campaign } = detail;
  const user = useUser();
  const queryClient = useQueryClient();
  const key = `${draftPrefix(user.id)}unsaved:${campaign.id}`;
  const [start] = useState(() => {
    const saved = valuesOf(detail);
    const kept = readStored(key) as Partial<DraftValues> | undefined;
    const values = kept && typeof kept === 'object' ? { ...saved, ...kept } : saved;
    return { saved, values, isRestored: Object.keys(changesBetween(saved, values)).length > 0 };
  });
  const [values, setValues] = useState(start.values);
  const [state, setState] = useState<SaveState>(start.isRestored ? 'waiting' : 'saved');
  const [error, setError] = useState<unknown>();
  const [savedAt, setSavedAt] = useState<number>();
  const [version, setVersion] = useState(campaign.updated_at);

  const latest = useRef(values);
  const saved = useRef(start.saved);
  const base = useRef(campaign.updated_at);
  const running = useRef<Promise<boolean> | undefined>(undefined);
  const isStopped = useRef(false);

  const keep = useCallback(() => {
    const changes = changesBetween(saved.current, latest.current);
    store(key, Object.keys(changes).length > 0 ? changes : undefined);
  }, [key]);

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
        setError(problem);
        isStopped.current = describeError(problem).code === 'CAMPAIGN_007';
        setState(isStopped.current ? 'clash' : 'failed');
        return false;
      }
    }
  }, [campaign.id, campaign.org_id, keep, queryClient]);

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
      if (typeof other?.updated_at === 'string') base.current = other.updated_at;
      isStopped.current = false;
      void flush();
    },
    letGo: () => {
      latest.current = saved.current;
      store(key, undefined);
    },
  };
}
