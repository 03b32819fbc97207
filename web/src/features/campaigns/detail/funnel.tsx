import { Title } from '@mantine/core';
import { count } from '@/lib/time';
import type { Stats } from '../model';
import { percent } from '../words';
import classes from './detail.module.css';

/** From sent to sold: each step as a bar, its number and its share. A list of labelled numbers to those who hear it. */
export function Funnel({ stats }: { stats: Stats }) {
  const steps = [
    { label: 'Sent', value: stats.sent },
    { label: 'Delivered', value: stats.delivered },
    { label: 'Read', value: stats.read },
    { label: 'Clicked', value: stats.clicked },
    { label: 'Opportunity', value: stats.opportunities },
  ];
  return (
    <section className={classes.card} aria-labelledby="funnel-title">
      <Title order={3} fz="md" id="funnel-title" mb={12}>
        From sent to sold
      </Title>
      <ol className={classes.funnel}>
        {steps.map(({ label, value }) => (
          <li key={label}>
            <span className={classes.funnelLabel}>{label}</span>
            <span className={classes.track} aria-hidden>
              <span
                className={classes.bar}
                style={{ width: `${stats.sent > 0 ? Math.min(100, (value / stats.sent) * 100) : 0}%` }}
              />
            </span>
            <span className={classes.figure}>{count(value)}</span>
            <span className={`${classes.figure} ${classes.share}`}>{percent(value, stats.sent)}</span>
          </li>
        ))}
      </ol>
    </section>
  );
}
