import { type CSSVariablesResolver, createTheme, type MantineColorsTuple } from '@mantine/core';
import { dark, light, type Tokens } from './tokens';

/** Shade 5 is the brand, shade 7 the darker one that white text may stand on. */
export const brand: MantineColorsTuple = [
  '#fff0f3',
  '#ffdde4',
  '#ffbac8',
  '#ff94aa',
  '#ff8098',
  '#ff2d55',
  '#f01d48',
  '#e0143f',
  '#c10f35',
  '#930b28',
];

/** Mantine's grays of the dark scheme, in the cool tone of our surfaces. */
const darkShades: MantineColorsTuple = [
  '#e9ecef',
  '#c3c9d0',
  '#a7afb8',
  '#7d8690',
  '#3f4750',
  '#343b43',
  '#252a2f',
  '#1b1e22',
  '#16191c',
  '#131518',
];

export const theme = createTheme({
  primaryColor: 'brand',
  primaryShade: { light: 7, dark: 7 },
  colors: { brand, dark: darkShades },
  defaultRadius: 'md',
  fontFamily:
    "Inter, system-ui, -apple-system, 'Segoe UI', Roboto, 'Noto Sans', 'Noto Sans Arabic', 'Noto Sans SC', sans-serif, 'Apple Color Emoji', 'Noto Color Emoji'",
  fontSizes: { xs: '0.75rem', sm: '0.8125rem', md: '0.875rem', lg: '1rem', xl: '1.25rem' },
  headings: { fontWeight: '650' },
  breakpoints: { xs: '30em', sm: '48em', md: '64em', lg: '75em', xl: '90em' },
  cursorType: 'pointer',
  focusRing: 'auto',
  respectReducedMotion: true,
  components: {
    ActionIcon: { defaultProps: { variant: 'subtle', color: 'gray', size: 36 } },
    Button: { defaultProps: { size: 'sm' } },
    // Most are calm notes; a failed request says role="alert" itself.
    Alert: { defaultProps: { role: 'note' } },
    Badge: {
      styles: { root: { textTransform: 'none', fontWeight: 600, flexShrink: 0, minWidth: 'max-content' } },
    },
    InputWrapper: { styles: { label: { marginBottom: 4 } } },
    Tooltip: { defaultProps: { openDelay: 400, withArrow: true } },
    Notification: { defaultProps: { closeButtonProps: { 'aria-label': 'Close the message' } } },
    Modal: { defaultProps: { centered: true, radius: 'lg' } },
    // Without the placeholder the first item has the focus, and the menu holds nothing but items.
    Menu: { defaultProps: { shadow: 'md', radius: 'md', withInitialFocusPlaceholder: false } },
    Paper: { defaultProps: { radius: 'md' } },
  },
});

function variables(tokens: Tokens): Record<string, string> {
  const own = Object.entries(tokens).map(([name, value]) => [
    `--op-${name.replace(/[A-Z]/g, (letter) => `-${letter.toLowerCase()}`)}`,
    value,
  ]);
  return {
    ...Object.fromEntries(own),
    '--mantine-color-body': tokens.surface,
    '--mantine-color-text': tokens.text,
    '--mantine-color-dimmed': tokens.muted,
    '--mantine-color-placeholder': tokens.placeholder,
    '--mantine-color-anchor': tokens.brandText,
    '--mantine-color-error': tokens.danger,
    '--mantine-color-default-border': tokens.border,
    '--mantine-color-brand-filled': tokens.brandSurface,
    '--mantine-color-brand-filled-hover': tokens.brandSurfaceHover,
    '--mantine-color-brand-text': tokens.brandText,
    '--mantine-color-brand-light': tokens.brandTint,
    '--mantine-color-brand-light-color': tokens.brandText,
    '--mantine-color-brand-outline': tokens.brandText,
    '--mantine-color-gray-light': tokens.neutralTint,
    '--mantine-color-gray-light-color': tokens.text,
    '--mantine-color-gray-text': tokens.muted,
    '--mantine-color-green-light': tokens.successTint,
    '--mantine-color-green-light-color': tokens.success,
    '--mantine-color-yellow-light': tokens.warningTint,
    '--mantine-color-yellow-light-color': tokens.warning,
    '--mantine-color-red-light': tokens.dangerTint,
    '--mantine-color-red-light-color': tokens.danger,
    '--mantine-color-red-text': tokens.danger,
    '--mantine-color-red-filled': tokens.brandSurface,
    '--mantine-color-blue-light': tokens.infoTint,
    '--mantine-color-blue-light-color': tokens.info,
  };
}

export const cssVariables: CSSVariablesResolver = () => ({
  variables: {},
  light: variables(light),
  dark: variables(dark),
});
