import { type Category, type Component, type Template, templateSchema } from '../model';
import { variablesIn } from '../placeholders';

export type HeaderKind = 'none' | 'text' | 'image' | 'video' | 'gif' | 'document' | 'location' | 'other';

export interface MediaFile {
  /** In bucket `templates`. */
  path: string;
  mime: string;
}

export interface HeaderValues {
  kind: HeaderKind;
  text: string;
  media?: MediaFile;
  /** Meta's own proof of an upload; ours to keep, a worker's to get. */
  handle?: string;
  /** A header we cannot edit (a product, say), kept as it is. */
  raw?: Component;
}

export const buttonKinds = [
  'quick_reply',
  'url',
  'phone_number',
  'copy_code',
  'flow',
  'voice_call',
  'request_contact_info',
  'catalog',
  'mpm',
  'otp',
] as const;
export type ButtonKind = (typeof buttonKinds)[number] | 'other';

export interface ButtonValues {
  /** Stays with the button while it is moved about. */
  id: string;
  kind: ButtonKind;
  text: string;
  url: string;
  /** The whole address with a sample in it, for one that ends in a variable. */
  urlSample: string;
  /** Goes through our redirect, which counts the click. */
  tracked: boolean;
  destination: string;
  /** The redirect's own address as it stands at Meta; empty until the database has put it in. */
  redirect: string;
  phone: string;
  code: string;
  flowId: string;
  flowScreen: string;
  otpType: 'COPY_CODE' | 'ONE_TAP' | 'ZERO_TAP';
  packageName: string;
  signatureHash: string;
  raw?: Record<string, unknown>;
}

export interface CardValues {
  id: string;
  media?: MediaFile;
  handle?: string;
  body: string;
  buttons: ButtonValues[];
}

export interface EditorValues {
  wabaId: string | null;
  name: string;
  language: string;
  category: Category;
  format: 'positional' | 'named';
  header: HeaderValues;
  body: string;
  footer: string;
  buttons: ButtonValues[];
  cards: CardValues[];
  cardHeader: 'image' | 'video';
  /** By place and variable: `header.1`, `body.first_name`, `card.0.body.1`. */
  samples: Record<string, string>;
  recommendSecurity: boolean;
  expiresInMinutes: number | null;
  /** Components we cannot edit (a limited-time offer, say), kept as they are. */
  kept: Component[];
}

let made = 0;
export const newId = (): string => `${Date.now().toString(36)}-${++made}`;

export const newButton = (kind: ButtonKind, more: Partial<ButtonValues> = {}): ButtonValues => ({
  id: newId(),
  kind,
  text: '',
  url: '',
  urlSample: '',
  tracked: false,
  destination: '',
  redirect: '',
  phone: '',
  code: '',
  flowId: '',
  flowScreen: '',
  otpType: 'COPY_CODE',
  packageName: '',
  signatureHash: '',
  ...more,
});

export const emptyValues = (): EditorValues => ({
  wabaId: null,
  name: '',
  language: 'en_US',
  category: 'marketing',
  format: 'named',
  header: { kind: 'none', text: '' },
  body: '',
  footer: '',
  buttons: [],
  cards: [],
  cardHeader: 'image',
  samples: {},
  recommendSecurity: true,
  expiresInMinutes: 10,
  kept: [],
});

type Bag = Record<string, unknown>;
const bag = (value: unknown): Bag =>
  typeof value === 'object' && value !== null && !Array.isArray(value) ? (value as Bag) : {};
const list = (value: unknown): unknown[] => (Array.isArray(value) ? value : []);
const str = (value: unknown): string => (typeof value === 'string' ? value : '');
const firstText = (value: unknown): string => (Array.isArray(value) ? str(value[0]) : str(value));

function readMedia(component: Bag): Pick<HeaderValues, 'media' | 'handle'> {
  const media = bag(component.media);
  const told = firstText(bag(component.example).header_handle);
  // Meta shows an address in its place, which it does not take back.
  const handle = /^https?:/.test(told) ? '' : told;
  return {
    ...(typeof media.path === 'string' && { media: { path: media.path, mime: str(media.mime) } }),
    ...(handle && { handle }),
  };
}

/** Samples stand beside their text: in order for numbered variables, with their names for named ones. */
function readSamples(
  place: string,
  kind: 'header' | 'body',
  component: Bag,
  samples: Record<string, string>,
): void {
  const example = bag(component.example);
  for (const each of list(example[`${kind}_text_named_params`])) {
    const { param_name, example: sample } = bag(each);
    if (typeof param_name === 'string') samples[`${place}.${param_name}`] = str(sample);
  }
  const texts = list(example[`${kind}_text`]);
  const row = kind === 'body' && Array.isArray(texts[0]) ? texts[0] : texts;
  // Meta lists the samples by number, however the text orders its variables.
  const names = variablesIn(str(component.text)).sort((a, b) => Number(a) - Number(b));
  for (const [index, name] of names.entries()) {
    const sample = str(row[index]);
    if (sample && samples[`${place}.${name}`] === undefined) samples[`${place}.${name}`] = sample;
  }
}

const mediaKinds = ['image', 'video', 'gif', 'document', 'location'] as const;

function readHeader(component: Component, samples: Record<string, string>): HeaderValues {
  const format = str(component.format).toLowerCase();
  if (format === 'text') {
    readSamples('header', 'header', component, samples);
    return { kind: 'text', text: str(component.text) };
  }
  const kind = mediaKinds.find((each) => each === format);
  return kind ? { kind, text: '', ...readMedia(component) } : { kind: 'other', text: '', raw: component };
}

function readButton(value: unknown, link: string | undefined): ButtonValues {
  const raw = bag(value);
  const type = str(raw.type).toLowerCase();
  const kind = buttonKinds.find((each) => each === type);
  if (!kind) return newButton('other', { text: str(raw.text) || type, raw });
  const app = bag(list(raw.supported_apps)[0] ?? raw);
  return newButton(kind, {
    text: str(raw.text),
    url: link === undefined ? str(raw.url) : '',
    urlSample: link === undefined ? firstText(raw.example) : '',
    tracked: link !== undefined,
    destination: link ?? '',
    redirect: link === undefined ? '' : str(raw.url),
    phone: str(raw.phone_number),
    code: kind === 'copy_code' ? firstText(raw.example) : '',
    flowId: typeof raw.flow_id === 'number' ? String(raw.flow_id) : str(raw.flow_id),
    flowScreen: str(raw.navigate_screen),
    otpType:
      (['COPY_CODE', 'ONE_TAP', 'ZERO_TAP'] as const).find((each) => each === raw.otp_type) ?? 'COPY_CODE',
    packageName: str(app.package_name),
    signatureHash: str(app.signature_hash),
  });
}

function readCards(component: Component, values: EditorValues): void {
  for (const [index, each] of list(component.cards).entries()) {
    const card: CardValues = { id: newId(), body: '', buttons: [] };
    for (const inner of list(bag(each).components).map(bag)) {
      const type = str(inner.type).toUpperCase();
      if (type === 'HEADER') {
        values.cardHeader = str(inner.format).toLowerCase() === 'video' ? 'video' : 'image';
        Object.assign(card, readMedia(inner));
      } else if (type === 'BODY') {
        card.body = str(inner.text);
        readSamples(`card.${index}.body`, 'body', inner, values.samples);
      } else if (type === 'BUTTONS')
        card.buttons = list(inner.buttons).map((button) => readButton(button, undefined));
    }
    values.cards.push(card);
  }
}

/** What the editor shows of a template as the database has it. */
export function valuesOf(template: Template): EditorValues {
  const values = emptyValues();
  values.wabaId = template.waba_id;
  values.name = template.name;
  values.language = template.language;
  values.category = template.category;
  values.format = template.parameter_format;
  for (const component of template.components) {
    switch (component.type.toUpperCase()) {
      case 'HEADER':
        values.header = readHeader(component, values.samples);
        break;
      case 'BODY':
        values.body = str(component.text);
        values.recommendSecurity = component.add_security_recommendation !== false;
        readSamples('body', 'body', component, values.samples);
        break;
      case 'FOOTER': {
        const minutes = component.code_expiration_minutes;
        values.footer = str(component.text);
        values.expiresInMinutes = typeof minutes === 'number' ? minutes : null;
        break;
      }
      case 'BUTTONS':
        values.buttons = list(component.buttons).map((button, index) =>
          readButton(button, template.links[String(index)]),
        );
        break;
      case 'CAROUSEL':
        readCards(component, values);
        break;
      default:
        values.kept.push(component);
    }
  }
  return values;
}

/** A row that came inside an error's details. */
export function readTemplate(value: unknown): Template | undefined {
  const read = templateSchema.safeParse(value);
  return read.success ? read.data : undefined;
}
