import { Drawer } from '@mantine/core';
import { Sidebar } from './sidebar';

/** The sidebar on narrow screens. */
export default function NavDrawer({ onClose }: { onClose: () => void }) {
  return (
    <Drawer
      opened
      onClose={onClose}
      size={300}
      padding={0}
      withCloseButton={false}
      attributes={{ content: { 'aria-label': 'Menu' } }}
      hiddenFrom="sm"
    >
      <div style={{ height: '100dvh' }}>
        <Sidebar rail={false} onNavigate={onClose} />
      </div>
    </Drawer>
  );
}
