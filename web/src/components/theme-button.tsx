import { ActionIcon, useMantineColorScheme } from '@mantine/core';
import { IconDeviceDesktop, IconMoon, IconSun } from '@tabler/icons-react';

const order = ['auto', 'light', 'dark'] as const;
const looks = {
  auto: { label: 'like the system', Icon: IconDeviceDesktop },
  light: { label: 'light', Icon: IconSun },
  dark: { label: 'dark', Icon: IconMoon },
};

/** The pages before sign-in load no menus; here one button goes through the three themes. */
export function ThemeButton() {
  const { colorScheme, setColorScheme } = useMantineColorScheme();
  const { label, Icon } = looks[colorScheme];
  const next = order[(order.indexOf(colorScheme) + 1) % order.length] ?? 'auto';
  return (
    <ActionIcon
      size={44}
      aria-label={`Theme: ${label}. Change to ${looks[next].label}`}
      title={`Theme: ${label}`}
      onClick={() => setColorScheme(next)}
    >
      <Icon size={20} />
    </ActionIcon>
  );
}
