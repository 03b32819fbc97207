import { Loader, VisuallyHidden } from '@mantine/core';
import { useConnection } from '@/lib/realtime';
import classes from './shell.module.css';

/** Quiet while all is well. The region is always there, so that screen readers announce what appears in it. */
export function ConnectionState() {
  const down = useConnection() === 'down';
  return (
    <div role="status" aria-live="polite">
      {down ? (
        <span
          className={classes.connection}
          title="Live updates are paused. The page refreshes every 5 seconds meanwhile."
        >
          <Loader size={12} color="var(--op-warning)" aria-hidden />
          <span className={classes.connectionWord}>Reconnecting…</span>
        </span>
      ) : (
        <VisuallyHidden>Connected</VisuallyHidden>
      )}
    </div>
  );
}
