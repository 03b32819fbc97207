import { Drawer } from '@mantine/core';
import ContactPanel from './contact-panel';

/** The contact's details where there is no room for a third column. */
export default function PanelDrawer({
  conversationId,
  onClose,
}: {
  conversationId: string;
  onClose: () => void;
}) {
  return (
    <Drawer
      opened
      onClose={onClose}
      position="right"
      size={340}
      title="Contact details"
      closeButtonProps={{ 'aria-label': 'Close' }}
    >
      <ContactPanel conversationId={conversationId} />
    </Drawer>
  );
}
