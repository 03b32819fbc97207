import type { Category, Component } from '../model';
import { fillIn, variablesIn } from '../placeholders';
import type { ButtonValues, EditorValues, HeaderValues, MediaFile } from './values';

/** What `create_template`, `update_template` and `check_template` take. */
export interface TemplateFields {
  waba_id?: string;
  name: string;
  language: string;
  category: Category;
  parameter_format: 'positional' | 'named';
  components: Component[];
  links: Record<string, string>;
}

/** Looks like a token of ours: 22 characters of base64url. */
const SAMPLE_TOKEN = 'Zm9yLWEtc2FtcGxlLW9ubA';

type Samples = EditorValues['samples'];

function example(
  kind: 'header' | 'body',
  place: string,
  text: string,
  format: EditorValues['format'],
  samples: Samples,
): { example?: Record<string, unknown> } {
  const names = variablesIn(text);
  if (names.length === 0) return {};
  const sample = (name: string) => samples[`${place}.${name}`]?.trim() ?? '';
  // A missing sample is left out, so that the check names it instead of Meta.
  if (format === 'named') {
    const given = names.filter((name) => sample(name));
    if (given.length === 0) return {};
    return {
      example: {
        [`${kind}_text_named_params`]: given.map((name) => ({ param_name: name, example: sample(name) })),
      },
    };
  }
  const row = [...names].sort((a, b) => Number(a) - Number(b)).map(sample);
  while (row.length > 0 && !row.at(-1)) row.pop();
  if (row.length === 0) return {};
  return { example: kind === 'body' ? { body_text: [row] } : { header_text: row } };
}

const mediaPart = ({ media, handle }: { media?: MediaFile; handle?: string }) => ({
  ...(handle && { example: { header_handle: [handle] } }),
  ...(media && { media }),
});

function headerPart(header: HeaderValues, values: EditorValues): Component | undefined {
  if (header.kind === 'none') return undefined;
  if (header.kind === 'other') return header.raw;
  if (header.kind === 'text')
    return {
      type: 'HEADER',
      format: 'TEXT',
      text: header.text,
      ...example('header', 'header', header.text, values.format, values.samples),
    };
  return { type: 'HEADER', format: header.kind.toUpperCase(), ...mediaPart(header) };
}

export function buttonPart(button: ButtonValues): Record<string, unknown> {
  const type = button.kind.toUpperCase();
  const { text } = button;
  switch (button.kind) {
    case 'other':
      return button.raw ?? {};
    case 'url':
      // Each message has a token of its own where the variable stands.
      if (button.tracked)
        return {
          type,
          text,
          url: button.redirect,
          example: [fillIn(button.redirect, () => SAMPLE_TOKEN)],
        };
      return {
        type,
        text,
        url: button.url,
        ...(variablesIn(button.url).length > 0 && button.urlSample && { example: [button.urlSample] }),
      };
    case 'phone_number':
      return { type, text, phone_number: button.phone };
    case 'copy_code':
      return { type, ...(button.code && { example: button.code }) };
    case 'flow':
      return {
        type,
        text,
        flow_id: button.flowId,
        ...(button.flowScreen && { flow_action: 'navigate', navigate_screen: button.flowScreen }),
      };
    case 'otp':
      return {
        type,
        otp_type: button.otpType,
        ...(text && { text }),
        ...(button.otpType !== 'COPY_CODE' && {
          supported_apps: [{ package_name: button.packageName, signature_hash: button.signatureHash }],
        }),
      };
    default:
      return { type, text };
  }
}

function carouselPart(values: EditorValues): Component {
  return {
    type: 'CAROUSEL',
    cards: values.cards.map((card, index) => ({
      components: [
        { type: 'HEADER', format: values.cardHeader.toUpperCase(), ...mediaPart(card) },
        ...(card.body
          ? [
              {
                type: 'BODY',
                text: card.body,
                ...example('body', `card.${index}.body`, card.body, values.format, values.samples),
              },
            ]
          : []),
        ...(card.buttons.length > 0 ? [{ type: 'BUTTONS', buttons: card.buttons.map(buttonPart) }] : []),
      ],
    })),
  };
}

function codeComponents(values: EditorValues): Component[] {
  const [button] = values.buttons.filter((each) => each.kind === 'otp');
  return [
    { type: 'BODY', add_security_recommendation: values.recommendSecurity },
    ...(values.expiresInMinutes
      ? [{ type: 'FOOTER', code_expiration_minutes: values.expiresInMinutes }]
      : []),
    {
      type: 'BUTTONS',
      buttons: [button ? buttonPart(button) : { type: 'OTP', otp_type: 'COPY_CODE' }],
    },
  ];
}

function componentsOf(values: EditorValues): Component[] {
  if (values.category === 'authentication') return codeComponents(values);
  const header = headerPart(values.header, values);
  const hasCards = values.cards.length > 0;
  return [
    ...(header && !hasCards ? [header] : []),
    ...values.kept,
    {
      type: 'BODY',
      text: values.body,
      ...example('body', 'body', values.body, values.format, values.samples),
    },
    ...(values.footer && !hasCards ? [{ type: 'FOOTER', text: values.footer }] : []),
    ...(values.buttons.length > 0 && !hasCards
      ? [{ type: 'BUTTONS', buttons: values.buttons.map(buttonPart) }]
      : []),
    ...(hasCards ? [carouselPart(values)] : []),
  ];
}

/** What the database keeps as a destination; anything else is unfinished and stays on this device. */
export const isDestination = (address: string): boolean => /^https:\/\/[^\s/]+(\/\S*)?$/.test(address.trim());

export function fieldsOf(values: EditorValues): TemplateFields {
  const usesButtons = values.category !== 'authentication' && values.cards.length === 0;
  const links = usesButtons
    ? values.buttons.flatMap((button, index) =>
        button.kind === 'url' && button.tracked && isDestination(button.destination)
          ? [[String(index), button.destination.trim()] as const]
          : [],
      )
    : [];
  return {
    ...(values.wabaId && { waba_id: values.wabaId }),
    name: values.name,
    language: values.language,
    category: values.category,
    parameter_format: values.format,
    components: componentsOf(values),
    links: Object.fromEntries(links),
  };
}
