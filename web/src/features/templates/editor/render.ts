import { fillIn } from '../placeholders';
import type { Rendered, RenderedButton, RenderedHeader } from '../preview/rendered';
import type { ButtonValues, EditorValues, HeaderValues } from './values';

const usualTexts: Partial<Record<ButtonValues['kind'], string>> = {
  copy_code: 'Copy offer code',
  otp: 'Copy code',
  catalog: 'View catalog',
  mpm: 'View items',
  request_contact_info: 'Share contact info',
};

function renderButton(button: ButtonValues): RenderedButton {
  return {
    kind: button.kind,
    text: button.text || usualTexts[button.kind] || '',
    url: button.kind === 'url' ? (button.tracked ? button.destination : button.url) || null : null,
    phone: button.phone || null,
  };
}

function renderHeader(
  header: Pick<HeaderValues, 'kind' | 'text' | 'media'>,
  fill: (text: string) => string,
): RenderedHeader {
  if (header.kind === 'none') return null;
  if (header.kind === 'text') return { kind: 'text', text: fill(header.text) };
  return { kind: header.kind, media: header.media ?? null };
}

const codeWords = (values: EditorValues) =>
  `*123456* is your verification code.${values.recommendSecurity ? ' For your security, do not share this code.' : ''}`;

/**
 * What is being written, as the phone shows it, with the samples put in: at once while typing. What is saved is shown as
 * `render_template` has it.
 */
export function renderValues(values: EditorValues): Rendered {
  const filler = (place: string) => (text: string) =>
    fillIn(text, (name) => values.samples[`${place}.${name}`]?.trim());
  if (values.category === 'authentication') {
    return {
      header: null,
      body: codeWords(values),
      footer: values.expiresInMinutes ? `This code expires in ${values.expiresInMinutes} minutes.` : null,
      buttons: [renderButton(values.buttons.find((button) => button.kind === 'otp') ?? otpButton)],
      cards: [],
    };
  }
  const hasCards = values.cards.length > 0;
  return {
    header: hasCards ? null : renderHeader(values.header, filler('header')),
    body: filler('body')(values.body),
    footer: hasCards ? null : values.footer,
    buttons: hasCards ? [] : values.buttons.map(renderButton),
    cards: values.cards.map((card, index) => ({
      header: renderHeader({ kind: values.cardHeader, text: '', media: card.media }, (text) => text),
      body: filler(`card.${index}.body`)(card.body),
      footer: null,
      buttons: card.buttons.map(renderButton),
    })),
  };
}

const otpButton = {
  kind: 'otp',
  text: '',
  tracked: false,
  destination: '',
  url: '',
  phone: '',
} as ButtonValues;
