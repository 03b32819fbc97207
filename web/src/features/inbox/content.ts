/** What a message holds, read tolerantly: the payload is what Meta sent, and Meta adds fields without notice. */
type Bag = Record<string, unknown>;

const bag = (value: unknown): Bag =>
  typeof value === 'object' && value !== null && !Array.isArray(value) ? (value as Bag) : {};
const text = (value: unknown): string | undefined =>
  typeof value === 'string' && value.trim() ? value : undefined;
const number = (value: unknown): number | undefined =>
  typeof value === 'number'
    ? value
    : typeof value === 'string' && value !== '' && Number.isFinite(Number(value))
      ? Number(value)
      : undefined;

export type Content =
  | { kind: 'text'; text: string }
  | {
      kind: 'media';
      media: 'image' | 'video' | 'audio' | 'voice' | 'document' | 'sticker';
      name?: string;
      detail?: string;
      caption?: string;
    }
  | { kind: 'location'; name?: string; address?: string; url?: string }
  | { kind: 'cards'; people: { name: string; phones: string[] }[] }
  | { kind: 'choice'; title: string; description?: string }
  | { kind: 'order'; items: number; total?: string; note?: string }
  | { kind: 'reaction'; emoji: string }
  | {
      kind: 'template';
      text?: string;
      name?: string;
      /** Ours, with what was filled in; absent for one that an app of the customer's number sent. */
      templateId?: string;
      values: Bag;
    }
  | { kind: 'unsupported'; what?: string };

interface Readable {
  type: string;
  body: string | null;
  payload: unknown;
}

const subtypes: Record<string, string> = {
  'image/jpeg': 'JPEG',
  'audio/ogg': 'Ogg',
  'application/pdf': 'PDF',
};

function mimeWords(mime: unknown): string | undefined {
  const plain = text(mime)?.split(';')[0]?.trim();
  if (!plain) return undefined;
  return (
    subtypes[plain] ??
    plain
      .split('/')[1]
      ?.replace(/^(x-|vnd\.)/, '')
      .toUpperCase()
      .slice(0, 12)
  );
}

export function readContent({ type, body, payload }: Readable): Content {
  const whole = bag(payload);
  const part = bag(whole[type] ?? payload);
  const caption = text(part.caption) ?? text(body);
  switch (type) {
    case 'text':
    case 'note':
      return { kind: 'text', text: body ?? text(part.body) ?? '' };
    case 'image':
    case 'video':
    case 'document':
    case 'sticker':
      return {
        kind: 'media',
        media: type,
        name: text(part.filename),
        detail: mimeWords(part.mime_type),
        caption: caption === text(part.filename) ? undefined : caption,
      };
    case 'audio':
      return {
        kind: 'media',
        media: part.voice === true ? 'voice' : 'audio',
        detail: mimeWords(part.mime_type),
      };
    case 'location': {
      const [latitude, longitude] = [number(part.latitude), number(part.longitude)];
      return {
        kind: 'location',
        name: text(part.name),
        address: text(part.address),
        url:
          latitude === undefined || longitude === undefined
            ? undefined
            : `https://www.google.com/maps/search/?api=1&query=${latitude},${longitude}`,
      };
    }
    case 'contacts':
      return { kind: 'cards', people: readCards(whole.contacts ?? payload) };
    case 'interactive': {
      const reply = bag(part.button_reply ?? part.list_reply ?? part.nfm_reply);
      return {
        kind: 'choice',
        title: text(reply.title) ?? text(body) ?? text(reply.body) ?? 'Answered a form',
        description: text(reply.description),
      };
    }
    case 'button':
      return { kind: 'choice', title: text(part.text) ?? text(body) ?? 'Tapped a button' };
    case 'order':
      return readOrder(part, body);
    case 'reaction':
      return { kind: 'reaction', emoji: text(part.emoji) ?? text(body) ?? '' };
    case 'template':
      return {
        kind: 'template',
        text: text(body),
        name: text(part.name),
        templateId: text(whole.template_id),
        values: bag(whole.values),
      };
    default:
      return { kind: 'unsupported', what: unsupportedType(type, whole) };
  }
}

/** The applier keeps Meta's own type of what it does not know, and what Meta itself could not hand over. */
function unsupportedType(type: string, payload: Bag): string | undefined {
  const known = [text(bag(payload.content).type), text(payload.meta_type), type];
  return known.find((name) => name !== undefined && !['unsupported', 'unknown', 'errors'].includes(name));
}

function readCards(list: unknown): { name: string; phones: string[] }[] {
  if (!Array.isArray(list)) return [];
  return list.map((each) => {
    const card = bag(each);
    const phones = Array.isArray(card.phones)
      ? card.phones.flatMap((phone) => text(bag(phone).phone) ?? [])
      : [];
    return { name: text(bag(card.name).formatted_name) ?? phones[0] ?? 'Contact card', phones };
  });
}

function readOrder(part: Bag, body: string | null): Content {
  const items = Array.isArray(part.product_items) ? part.product_items.map(bag) : [];
  const pieces = items.reduce((sum, item) => sum + (number(item.quantity) ?? 1), 0);
  const currency = text(items[0]?.currency);
  const sum = items.reduce(
    (total, item) => total + (number(item.item_price) ?? 0) * (number(item.quantity) ?? 1),
    0,
  );
  let total: string | undefined;
  if (currency && /^[A-Z]{3}$/.test(currency)) {
    total = new Intl.NumberFormat(undefined, { style: 'currency', currency }).format(sum);
  }
  return { kind: 'order', items: pieces, total, note: text(part.text) ?? text(body) };
}

const mediaNames = {
  image: 'Photo',
  video: 'Video',
  audio: 'Audio',
  voice: 'Voice message',
  document: 'Document',
  sticker: 'Sticker',
};

export const mediaName = (media: keyof typeof mediaNames): string => mediaNames[media];

/** One line about a message: for list previews and quotes. */
export function contentLine(message: Readable): string {
  const content = readContent(message);
  switch (content.kind) {
    case 'text':
      return content.text.replaceAll(/\s+/g, ' ');
    case 'media':
      return content.caption ?? content.name ?? mediaName(content.media);
    case 'location':
      return content.name ?? content.address ?? 'Location';
    case 'cards':
      return content.people[0]?.name ?? 'Contact card';
    case 'choice':
      return content.title;
    case 'order':
      return 'Order';
    case 'reaction':
      return content.emoji ? `Reacted ${content.emoji}` : 'Removed a reaction';
    case 'template':
      return content.text ?? content.name ?? 'Template';
    default:
      return 'Message that can’t be shown here';
  }
}

/** `messages.reactions`: who reacted with what, one each. */
export function readReactions(reactions: unknown): string[] {
  return Object.values(bag(reactions)).flatMap((each) => text(each) ?? text(bag(each).emoji) ?? []);
}
