/** Every colour the product uses, once per scheme. `theme.test.ts` computes the contrast of each pair that carries text. */
export interface Tokens {
  canvas: string;
  surface: string;
  sunken: string;
  hover: string;
  selected: string;
  border: string;
  control: string;
  text: string;
  muted: string;
  placeholder: string;
  /** Accents, the active mark, focus: never under text. */
  brand: string;
  /** A surface that carries `onBrand` text: primary buttons, outbound bubbles. */
  brandSurface: string;
  brandSurfaceHover: string;
  onBrand: string;
  /** Brand-coloured text on the page: links, the active nav item. */
  brandText: string;
  brandTint: string;
  bubbleIn: string;
  note: string;
  noteText: string;
  read: string;
  success: string;
  successTint: string;
  warning: string;
  warningTint: string;
  danger: string;
  dangerTint: string;
  info: string;
  infoTint: string;
  neutralTint: string;
  /** Marks of at least 3:1 against the page (dots, borders of fields). */
  dotOpen: string;
  dotSoon: string;
  dotUrgent: string;
  dotClosed: string;
}

export const light: Tokens = {
  canvas: '#f6f7f9',
  surface: '#ffffff',
  sunken: '#f1f3f5',
  hover: '#f1f3f6',
  selected: '#fff0f3',
  border: '#e1e4e9',
  control: '#868e99',
  text: '#1c2127',
  muted: '#59616b',
  placeholder: '#666e78',
  brand: '#ff2d55',
  brandSurface: '#e0143f',
  brandSurfaceHover: '#c10f35',
  onBrand: '#ffffff',
  brandText: '#cf1039',
  brandTint: '#ffe9ee',
  bubbleIn: '#eceff3',
  note: '#fff3cd',
  noteText: '#553f00',
  read: '#0b6bcb',
  success: '#13692f',
  successTint: '#e2f6e8',
  warning: '#7a4d00',
  warningTint: '#fff1d6',
  danger: '#b01030',
  dangerTint: '#ffe8ec',
  info: '#0b57a4',
  infoTint: '#e4f1fd',
  neutralTint: '#eceff3',
  dotOpen: '#2b8a3e',
  dotSoon: '#b26a00',
  dotUrgent: '#d6103c',
  dotClosed: '#76808b',
};

export const dark: Tokens = {
  canvas: '#131518',
  surface: '#1b1e22',
  sunken: '#16191c',
  hover: '#24282d',
  selected: '#33202a',
  border: '#2f343a',
  control: '#6d7680',
  text: '#e9ecef',
  muted: '#a7afb8',
  placeholder: '#949da7',
  brand: '#ff2d55',
  brandSurface: '#d3123b',
  brandSurfaceHover: '#b80f33',
  onBrand: '#ffffff',
  brandText: '#ff8098',
  brandTint: '#3a1f28',
  bubbleIn: '#2a2f35',
  note: '#40350f',
  noteText: '#ffe8a3',
  read: '#63b3ff',
  success: '#7fdc98',
  successTint: '#173222',
  warning: '#ffc966',
  warningTint: '#3a2c10',
  danger: '#ff8fa3',
  dangerTint: '#3d1c25',
  info: '#8cc8ff',
  infoTint: '#162f45',
  neutralTint: '#2a2f35',
  dotOpen: '#51cf66',
  dotSoon: '#ffb84d',
  dotUrgent: '#ff6b86',
  dotClosed: '#8a939d',
};
