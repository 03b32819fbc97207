import { Skeleton, Stack } from '@mantine/core';
import classes from './shell.module.css';

/** The shell's shape while the organisation is being loaded, so that nothing shifts when it is there. */
export function PendingFrame() {
  return (
    <div className={classes.frame} role="status" aria-label="Loading">
      <div className={classes.side}>
        <div className={classes.sidebar} data-rail={window.innerWidth < 1280 || undefined}>
          <div className={classes.brand}>
            <Skeleton height={32} width={32} radius={9} />
          </div>
          <Stack gap={10} px={6}>
            {Array.from({ length: 7 }, (_, index) => (
              // biome-ignore lint/suspicious/noArrayIndexKey: a fixed drawing
              <Skeleton key={index} height={34} radius={10} />
            ))}
          </Stack>
        </div>
      </div>
      <div className={classes.top}>
        <Skeleton height={26} width={180} />
      </div>
    </div>
  );
}
