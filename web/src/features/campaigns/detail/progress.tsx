import { Alert, Progress as Bar, Text } from '@mantine/core';
import { IconAlertTriangle, IconHelpCircle, IconHourglass, IconPlayerPause } from '@tabler/icons-react';
import { count, plural } from '@/lib/time';
import { addressed, type Campaign, type Stats } from '../model';
import { isUnderWay } from '../queries';
import { statusReasonWords, waitingWords, whenWords } from '../words';
import classes from './detail.module.css';

interface ProgressProps {
  campaign: Campaign;
  stats: Stats;
  finishesAt: string | null | undefined;
}

/** How far it is, why it stands still, and what nobody can be sure of. */
export function Progress({ campaign, stats, finishesAt }: ProgressProps) {
  const all = addressed(stats);
  const through = Math.min(all, stats.sent + stats.failed);
  const reason = statusReasonWords(campaign.status_reason);
  const waiting = campaign.status === 'sending' ? waitingWords(campaign) : undefined;
  return (
    <>
      {isUnderWay(campaign.status) && all > 0 && (
        <section className={classes.progress} aria-label="Progress">
          <Bar
            size="lg"
            value={(through / all) * 100}
            color={campaign.status === 'paused' || waiting ? 'yellow' : 'brand'}
            aria-label="Sent so far"
          />
          <Text size="sm" className={classes.figure} role="status">
            {count(through)} of {plural(all, 'message')}
            {stats.failed > 0 && ` · ${count(stats.failed)} failed`}
            {finishesAt && campaign.status === 'sending' && ` · done around ${whenWords(finishesAt)}`}
          </Text>
        </section>
      )}
      {waiting && (
        <Alert color="yellow" variant="light" icon={<IconHourglass aria-hidden />} mb="md" role="status">
          {waiting}
        </Alert>
      )}
      {campaign.status === 'paused' && (
        <Alert color="yellow" variant="light" icon={<IconPlayerPause aria-hidden />} mb="md" role="status">
          Paused. {reason ?? 'Nothing more is sent until somebody resumes it.'}
        </Alert>
      )}
      {campaign.status === 'failed' && (
        <Alert color="red" variant="light" icon={<IconAlertTriangle aria-hidden />} mb="md" role="status">
          This campaign couldn’t be sent. {reason}
        </Alert>
      )}
      {stats.uncertain > 0 && (
        <Alert color="blue" variant="light" icon={<IconHelpCircle aria-hidden />} mb="md">
          {plural(stats.uncertain, 'message is', 'messages are')} still being confirmed: the connection broke
          while sending, and WhatsApp hasn’t told us yet. If it doesn’t within{' '}
          {plural(campaign.uncertain_hours ?? 24, 'hour')},{' '}
          {campaign.uncertain_policy === 'repeat'
            ? 'they are sent again, as you chose: rather twice than not at all.'
            : 'they count as failed, as you chose: rather not at all than twice.'}
        </Alert>
      )}
    </>
  );
}
