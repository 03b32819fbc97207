import { useMembers } from '@/features/tenancy/queries';
import { clockTime, exactTime } from '@/lib/time';
import classes from './chat.module.css';
import type { Message } from './model';

/** A centred line about the conversation itself. The database records what happened, the words are ours. */
export function SystemLine({ message }: { message: Message }) {
  const members = useMembers();
  const name = (id: unknown) =>
    members.data?.find((member) => member.userId === id)?.name ?? 'a former colleague';
  const payload = (message.payload ?? {}) as Record<string, unknown>;
  const by = message.sent_by ? ` by ${name(message.sent_by)}` : '';

  let words = message.body ?? 'Something changed in this conversation';
  switch (payload.event) {
    case 'assigned':
      words = payload.user_id ? `Assigned to ${name(payload.user_id)}${by}` : `Assignment removed${by}`;
      break;
    case 'resolved':
      words = `Resolved${by}`;
      break;
    case 'reopened':
      words = `Reopened${by}`;
      break;
    case 'snoozed':
      words = `Snoozed${by} until ${typeof payload.until === 'string' ? exactTime(payload.until) : 'later'}`;
      break;
    default:
      if (message.direction === 'inbound' && !message.body) words = 'The customer’s WhatsApp account changed';
  }
  return (
    <div className={classes.system} title={exactTime(message.occurred_at)}>
      {words} · {clockTime(message.occurred_at)}
    </div>
  );
}
