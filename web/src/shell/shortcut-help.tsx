import { Group, Kbd, Modal, Stack, Text, Title } from '@mantine/core';
import { useShortcutGroups } from './shortcuts';

export default function ShortcutHelp({ onClose }: { onClose: () => void }) {
  const groups = useShortcutGroups();
  return (
    <Modal opened onClose={onClose} title="Keyboard shortcuts" closeButtonProps={{ 'aria-label': 'Close' }}>
      <Stack gap="lg">
        {groups.map((group) => (
          <section key={group.name}>
            <Title order={2} fz="md" mb="xs">
              {group.name}
            </Title>
            <Stack gap={8}>
              {group.shortcuts.map((shortcut) => (
                <Group key={shortcut.keys} justify="space-between" wrap="nowrap">
                  <Text>{shortcut.label}</Text>
                  <Group gap={4} wrap="nowrap">
                    {shortcut.keys.split(' ').map((key) => (
                      <Kbd key={key}>{key}</Kbd>
                    ))}
                  </Group>
                </Group>
              ))}
            </Stack>
          </section>
        ))}
        <Group justify="space-between" wrap="nowrap">
          <Text>Search everything</Text>
          <Group gap={4} wrap="nowrap">
            <Kbd>{/Mac|iPhone|iPad/.test(navigator.platform) ? '⌘' : 'Ctrl'}</Kbd>
            <Kbd>K</Kbd>
          </Group>
        </Group>
      </Stack>
    </Modal>
  );
}
