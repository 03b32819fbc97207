import { Drawer } from '@mantine/core';
import { ContactForm } from './contact-form-lazy';

export function NewContactDrawer({
  onClose,
  onSaved,
}: {
  onClose: () => void;
  onSaved: (id: string) => void;
}) {
  return (
    <Drawer
      opened
      onClose={onClose}
      position="right"
      size={480}
      title="Add a contact"
      closeButtonProps={{ 'aria-label': 'Close' }}
    >
      <ContactForm onSaved={onSaved} onCancel={onClose} />
    </Drawer>
  );
}
