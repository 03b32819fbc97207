import { Tooltip } from '@mantine/core';
import { IconAlertCircle, IconCheck, IconChecks, IconClock, IconHelpCircle } from '@tabler/icons-react';
import { clockTime } from '@/lib/time';
import type { Message } from './model';

type Delivery = Pick<
  Message,
  'status' | 'is_uncertain' | 'sent_at' | 'delivered_at' | 'read_at' | 'failed_at'
>;

export function deliveryWord({ status, is_uncertain }: Pick<Delivery, 'status' | 'is_uncertain'>): string {
  if (is_uncertain) return 'Confirming…';
  if (status === 'pending') return 'Sending';
  if (status === 'failed') return 'Not sent';
  if (status === 'read') return 'Read';
  if (status === 'delivered') return 'Delivered';
  return 'Sent';
}

/** How far a message of ours got. The word stands beside the icon under the newest bubble; elsewhere on hover. */
export function Ticks({ message, withWord }: { message: Delivery; withWord: boolean }) {
  const word = deliveryWord(message);
  const steps = [
    message.sent_at && `Sent ${clockTime(message.sent_at)}`,
    message.delivered_at && `Delivered ${clockTime(message.delivered_at)}`,
    message.read_at && `Read ${clockTime(message.read_at)}`,
    message.failed_at && `Failed ${clockTime(message.failed_at)}`,
  ].filter(Boolean);
  const hint = message.is_uncertain
    ? 'The answer from WhatsApp got lost. We’re waiting for it to confirm, so that nothing is sent twice.'
    : steps.join(' · ') || word;
  return (
    <Tooltip label={hint} multiline maw={260}>
      <span
        data-delivery={message.is_uncertain ? 'uncertain' : message.status}
        style={{ display: 'inline-flex', alignItems: 'center', gap: 4 }}
      >
        <TickIcon message={message} label={withWord ? undefined : word} />
        {withWord && <span>{word}</span>}
      </span>
    </Tooltip>
  );
}

export function TickIcon({
  message,
  label,
}: {
  message: Pick<Delivery, 'status' | 'is_uncertain'>;
  label?: string;
}) {
  const props = {
    size: 15,
    stroke: 2,
    role: label ? 'img' : undefined,
    'aria-label': label,
    'aria-hidden': label ? undefined : true,
  };
  if (message.is_uncertain) return <IconHelpCircle {...props} />;
  if (message.status === 'pending') return <IconClock {...props} />;
  if (message.status === 'failed') return <IconAlertCircle {...props} color="var(--op-danger)" />;
  if (message.status === 'read') return <IconChecks {...props} color="var(--op-read)" />;
  if (message.status === 'delivered') return <IconChecks {...props} />;
  return <IconCheck {...props} />;
}
