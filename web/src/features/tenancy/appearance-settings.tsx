import { Radio, Stack, useMantineColorScheme } from '@mantine/core';

export function AppearanceSettings() {
  const { colorScheme, setColorScheme } = useMantineColorScheme();
  return (
    <Radio.Group
      label="Theme"
      value={colorScheme}
      onChange={(value) => setColorScheme(value as typeof colorScheme)}
    >
      <Stack mt="sm" gap="md">
        <Radio value="light" label="Light" size="md" />
        <Radio value="dark" label="Dark" size="md" />
        <Radio value="auto" label="Like the system" description="Follows your computer or phone." size="md" />
      </Stack>
    </Radio.Group>
  );
}
