import { Button, Group, List, Modal, Stack, Text, TextInput } from '@mantine/core';
import { notifications } from '@mantine/notifications';
import { useMutation } from '@tanstack/react-query';
import { useState } from 'react';
import { Problem } from '@/components/problem';
import { call } from './api';
import { useRefreshContacts } from './contact-actions';
import { type Contact, contactName } from './model';

const WORD = 'ERASE';

interface EraseDialogProps {
  contact: Contact;
  onClose: () => void;
  onErased?: () => void;
}

export function EraseDialog({ contact, onClose, onErased }: EraseDialogProps) {
  const [typed, setTyped] = useState('');
  const refresh = useRefreshContacts();
  const erase = useMutation({
    mutationFn: () => call('erase_contact', { p_id: contact.id, p_confirmation: typed.trim() }),
    onSuccess: async () => {
      notifications.show({ color: 'green', message: 'This person’s data is erased.' });
      onClose();
      onErased?.();
      await refresh(contact.id);
    },
  });
  return (
    <Modal
      opened
      onClose={onClose}
      title={`Erase ${contactName(contact)} for good?`}
      closeButtonProps={{ 'aria-label': 'Close' }}
    >
      <form
        onSubmit={(event) => {
          event.preventDefault();
          if (typed.trim() === WORD) erase.mutate();
        }}
      >
        <Stack>
          <Text>This can’t be undone. It is meant for people who ask to be forgotten.</Text>
          <List size="sm">
            <List.Item>Name, number, e-mail, notes and every other field are deleted.</List.Item>
            <List.Item>So are the words and files of their messages.</List.Item>
            <List.Item>Only counts stay, so that your reports still add up.</List.Item>
          </List>
          <TextInput
            label={`Type ${WORD} to confirm`}
            value={typed}
            onChange={(event) => setTyped(event.currentTarget.value)}
            autoComplete="off"
            data-autofocus
          />
          <Problem error={erase.error} />
          <Group justify="flex-end">
            <Button variant="default" onClick={onClose}>
              Cancel
            </Button>
            <Button type="submit" color="red" loading={erase.isPending} disabled={typed.trim() !== WORD}>
              Erase for good
            </Button>
          </Group>
        </Stack>
      </form>
    </Modal>
  );
}
