import { Tooltip } from '@mantine/core';
import { useNow } from '@/lib/clock';
import { windowState, windowStep } from './window';
import classes from './window-badge.module.css';

interface WindowBadgeProps {
  expiresAt: string | null;
  /** The header says it in a sentence, rows in a few letters. */
  long?: boolean;
}

export function WindowBadge({ expiresAt, long }: WindowBadgeProps) {
  const now = useNow(long ? windowStep(expiresAt, Date.now()) : 30_000);
  const state = windowState(expiresAt, now);
  return (
    <Tooltip label={state.long} disabled={long}>
      <span className={classes.badge} data-level={state.level}>
        <span className={classes.dot} aria-hidden />
        <span aria-hidden={!long}>{long ? state.long : state.short}</span>
        {!long && <span className={classes.hidden}>{state.long}</span>}
      </span>
    </Tooltip>
  );
}
