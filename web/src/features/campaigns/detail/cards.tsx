import { Text, UnstyledButton } from '@mantine/core';
import { count } from '@/lib/time';
import type { RecipientStatus, Stats } from '../model';
import { percent } from '../words';
import classes from './detail.module.css';

interface CardsProps {
  stats: Stats;
  /** Leads to those people in the table below. */
  onShow: (status: RecipientStatus[]) => void;
}

/** The figures people come for. Sent, delivered and read are those that got at least that far. */
export function Cards({ stats, onShow }: CardsProps) {
  const cards: { label: string; value: number; share?: string; shown?: RecipientStatus[] }[] = [
    { label: 'Sent', value: stats.sent, shown: ['sent', 'delivered', 'read'] },
    {
      label: 'Delivered',
      value: stats.delivered,
      share: percent(stats.delivered, stats.sent),
      shown: ['delivered', 'read'],
    },
    { label: 'Read', value: stats.read, share: percent(stats.read, stats.sent), shown: ['read'] },
    { label: 'Replied', value: stats.replied, share: percent(stats.replied, stats.sent) },
    { label: 'Clicked', value: stats.clicked },
    { label: 'Sales opportunities', value: stats.opportunities },
    {
      label: 'Failed',
      value: stats.failed,
      share: percent(stats.failed, stats.sent + stats.failed),
      shown: ['failed'],
    },
  ];
  return (
    <dl className={classes.cards} aria-label="Figures">
      {cards.map(({ label, value, share, shown }) => (
        <div key={label} className={classes.card}>
          <dt>{label}</dt>
          <dd>
            {shown && value > 0 ? (
              <UnstyledButton
                className={classes.value}
                aria-label={`${count(value)} ${label.toLowerCase()}: show them`}
                onClick={() => onShow(shown)}
              >
                {count(value)}
              </UnstyledButton>
            ) : (
              <span className={classes.value}>{count(value)}</span>
            )}
            {share && (
              <Text size="sm" c="dimmed" component="span">
                {share}
              </Text>
            )}
          </dd>
        </div>
      ))}
    </dl>
  );
}
