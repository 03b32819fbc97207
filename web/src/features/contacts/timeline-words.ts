import { consentNames, consentSourceNames, sourceNames, wordFor } from './model';
import type { TimelineEvent } from './queries';

/** What the mark beside an event shows. */
export type Mark =
  | 'sent'
  | 'received'
  | 'campaign'
  | 'flow'
  | 'flow-done'
  | 'tag'
  | 'tag-off'
  | 'consent'
  | 'note'
  | 'created'
  | 'updated'
  | 'merged'
  | 'trash'
  | 'restored'
  | 'erased'
  | 'conversation'
  | 'other';

export interface TimelineWords {
  mark: Mark;
  text: string;
  /** The words of a message or a note. */
  quote?: string;
}

const fieldNames: Record<string, string> = {
  full_name: 'name',
  email: 'e-mail',
  job_title: 'job title',
  lifecycle_stage: 'stage',
  custom_fields: 'own fields',
  avatar_url: 'picture',
};

const mediaNames: Record<string, string> = {
  image: 'a photo',
  video: 'a video',
  audio: 'a voice message',
  document: 'a document',
  sticker: 'a sticker',
  location: 'a place',
  contacts: 'a contact card',
  template: 'a template',
  reaction: 'a reaction',
};

const list = (values: string[]): string =>
  values.length < 2 ? values.join('') : `${values.slice(0, -1).join(', ')} and ${values.at(-1)}`;

const strings = (value: unknown): string[] =>
  Array.isArray(value)
    ? value.flatMap((each) => {
        if (typeof each === 'string') return [each];
        const { name, id } = (each ?? {}) as { name?: unknown; id?: unknown };
        return typeof name === 'string' ? [name] : typeof id === 'string' ? [id] : [];
      })
    : [];

const text = (value: unknown): string | undefined =>
  typeof value === 'string' && value !== '' ? value : undefined;

/** Turns an event of the timeline into a sentence. `tagName` knows the tags by id where the event tells only ids. */
export function timelineWords(
  event: TimelineEvent,
  tagName: (id: string) => string | undefined,
): TimelineWords {
  const { data } = event;
  const who = event.actor_name;
  const by = who ? ` by ${who}` : '';
  switch (event.kind) {
    case 'message.received':
      return { mark: 'received', ...message('Wrote', data) };
    case 'message.sent': {
      const failed = data.status === 'failed' ? ' · not delivered' : '';
      const words = message(who ? `${who} wrote` : 'We wrote', data);
      return { mark: 'sent', ...words, text: words.text + failed };
    }
    case 'message.note':
    case 'note.added':
    case 'conversation.note_added':
      return {
        mark: 'note',
        text: `Note${by}`,
        quote: text(data.body) ?? text(data.preview) ?? text(data.text),
      };
    case 'contact.created':
      return {
        mark: 'created',
        text: who
          ? `Added${by}`
          : text(data.source)
            ? wordFor(sourceNames, text(data.source))
            : 'Wrote for the first time',
      };
    case 'contact.updated': {
      const fields = strings(data.fields).map((field) => fieldNames[field] ?? field.replaceAll('_', ' '));
      return { mark: 'updated', text: fields.length > 0 ? `Changed${by}: ${list(fields)}` : `Changed${by}` };
    }
    case 'contact.tags_changed': {
      const named = (values: string[]) =>
        values.map((value) => tagName(value) ?? (isId(value) ? 'a deleted tag' : value));
      const added = named(strings(data.added));
      const removed = named(strings(data.removed));
      const parts = [
        ...(added.length > 0 ? [`Tagged ${list(added)}`] : []),
        ...(removed.length > 0 ? [`${added.length > 0 ? 'took off' : 'Took off'} ${list(removed)}`] : []),
      ];
      return {
        mark: added.length > 0 ? 'tag' : 'tag-off',
        text: `${parts.join(', ') || 'Tags changed'}${by}`,
      };
    }
    case 'consent.changed':
    case 'contact.consent_changed': {
      const from = text(data.old ?? data.old_status);
      const to = text(data.new ?? data.new_status);
      const source = text(data.source);
      return {
        mark: 'consent',
        text: `Opt-in: ${from ? `${wordFor(consentNames, from)} → ` : ''}${wordFor(consentNames, to)}${by}${
          source ? ` · ${wordFor(consentSourceNames, source)}` : ''
        }`,
        quote: text(data.evidence),
      };
    }
    case 'contact.merged':
      return { mark: 'merged', text: `Merged with another contact${by}` };
    case 'contact.deleted':
      return { mark: 'trash', text: `Moved to the trash${by}` };
    case 'contact.restored':
      return { mark: 'restored', text: `Restored from the trash${by}` };
    case 'contact.erased':
      return { mark: 'erased', text: `Erased${by}` };
    case 'conversation.resolved':
      return { mark: 'conversation', text: `Conversation resolved${by}` };
    case 'conversation.reopened':
      return { mark: 'conversation', text: `Conversation reopened${by}` };
    case 'conversation.assigned':
      return { mark: 'conversation', text: `Conversation assigned${by}` };
    case 'conversation.snoozed':
      return { mark: 'conversation', text: `Conversation snoozed${by}` };
  }
  const name = text(data.name) ?? text(data.campaign_name) ?? text(data.flow_name);
  const named = name ? ` “${name}”` : '';
  switch (event.kind) {
    case 'campaign.received':
      return data.status === 'failed'
        ? { mark: 'campaign', text: `Campaign${named} didn’t arrive` }
        : { mark: 'campaign', text: `Campaign${named}`, quote: text(data.preview) };
    case 'link.clicked':
      return {
        mark: 'campaign',
        text: `Followed a link of the campaign${named}`,
        quote: text(data.destination)?.replace(/^https:\/\//, ''),
      };
    case 'opportunity.recorded':
      return { mark: 'campaign', text: `Sales opportunity recorded${by}`, quote: amountWords(data) };
    case 'opportunity.deleted':
      return { mark: 'campaign', text: `Sales opportunity deleted${by}`, quote: amountWords(data) };
  }
  if (event.kind.startsWith('campaign.')) return { mark: 'campaign', text: `Campaign${named}` };
  if (event.kind === 'flow.completed') return { mark: 'flow-done', text: `Finished the flow${named}` };
  if (event.kind.startsWith('flow.')) return { mark: 'flow', text: `Started the flow${named}` };
  // A kind of a later release: its own name, made readable.
  const words = event.kind.replaceAll(/[._]/g, ' ');
  return { mark: 'other', text: `${words.charAt(0).toUpperCase()}${words.slice(1)}${by}` };
}

function amountWords({ amount, currency }: Record<string, unknown>): string | undefined {
  return amount !== undefined && text(currency) ? `${currency} ${amount}` : undefined;
}

function message(verb: string, data: Record<string, unknown>): { text: string; quote?: string } {
  const type = text(data.type) ?? 'text';
  const quote = text(data.preview) ?? text(data.body) ?? text(data.text);
  if (type === 'text' || !mediaNames[type]) return { text: verb, quote };
  return {
    text: `${verb.replace(/wrote$/i, (word) => (word === 'Wrote' ? 'Sent' : 'sent'))} ${mediaNames[type]}`,
    quote,
  };
}

const isId = (value: string): boolean => /^[0-9a-f-]{36}$/i.test(value);
