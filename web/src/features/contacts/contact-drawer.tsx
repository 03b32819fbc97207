import { Button, Drawer, Group, Skeleton, Stack } from '@mantine/core';
import { notifications } from '@mantine/notifications';
import { IconEdit, IconMessage, IconTrash } from '@tabler/icons-react';
import { useMutation, useQuery, useQueryClient } from '@tanstack/react-query';
import { useNavigate } from '@tanstack/react-router';
import { useState } from 'react';
import { LoadProblem } from '@/components/problem';
import { useOrg } from '@/features/tenancy/queries';
import { accountsQuery } from '@/features/whatsapp/queries';
import { wordsFor } from '@/lib/errors';
import { answer, backend } from '@/lib/supabase';
import { ContactDetails } from './contact-details';
import { ContactForm } from './contact-form-lazy';
import { type ContactRow, contactName, contactQuery } from './queries';

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
      size={460}
      title="Add a contact"
      closeButtonProps={{ 'aria-label': 'Close' }}
    >
      <ContactForm onSaved={onSaved} onCancel={onClose} />
    </Drawer>
  );
}

export function ContactDrawer({ id, onClose }: { id: string; onClose: () => void }) {
  const { orgId } = useOrg();
  const contact = useQuery(contactQuery(orgId, id));
  const [editing, setEditing] = useState(false);
  return (
    <Drawer
      opened
      onClose={onClose}
      position="right"
      size={460}
      title={editing ? 'Edit contact' : 'Contact'}
      closeButtonProps={{ 'aria-label': 'Close' }}
    >
      {contact.isPending && (
        <Stack align="center" role="status" aria-label="Loading">
          <Skeleton circle height={72} />
          <Skeleton height={20} width={180} />
          <Skeleton height={120} />
        </Stack>
      )}
      {contact.isError && (
        <LoadProblem error={contact.error} what="this contact" onRetry={() => void contact.refetch()} />
      )}
      {contact.data &&
        (editing ? (
          <ContactForm
            contact={contact.data}
            onSaved={() => setEditing(false)}
            onCancel={() => setEditing(false)}
          />
        ) : (
          <ContactDetails
            contact={contact.data}
            actions={<Actions contact={contact.data} onEdit={() => setEditing(true)} onClose={onClose} />}
          />
        ))}
    </Drawer>
  );
}

function Actions({
  contact,
  onEdit,
  onClose,
}: {
  contact: ContactRow;
  onEdit: () => void;
  onClose: () => void;
}) {
  const org = useOrg();
  const navigate = useNavigate();
  const queryClient = useQueryClient();
  const accounts = useQuery(accountsQuery(org.orgId));
  const account =
    accounts.data?.find((each) => each.status === 'connected') ??
    accounts.data?.find((each) => each.status !== 'disconnected');
  const refresh = () => queryClient.invalidateQueries({ queryKey: ['org', org.orgId, 'contacts'] });

  const start = useMutation({
    mutationFn: (accountId: string) =>
      answer(
        backend().rpc('start_conversation', { p_contact_id: contact.id, p_whatsapp_account_id: accountId }),
      ),
    onSuccess: (conversationId) =>
      navigate({ to: '/conversations/{-$conversationId}', params: { conversationId } }),
    onError: (error) => notifications.show({ color: 'red', message: wordsFor(error) }),
  });
  const restore = async () => {
    try {
      await answer(backend().rpc('restore_contact', { p_id: contact.id }));
      await refresh();
    } catch (error) {
      notifications.show({ color: 'red', message: wordsFor(error) });
    }
  };
  const remove = useMutation({
    mutationFn: () => answer(backend().rpc('delete_contact', { p_id: contact.id })),
    onError: (error) => notifications.show({ color: 'red', message: wordsFor(error) }),
    onSuccess: async () => {
      onClose();
      await refresh();
      const id = notifications.show({
        color: 'green',
        autoClose: 8_000,
        message: (
          <>
            {contactName(contact)} is in the trash.{' '}
            <button
              type="button"
              className="op-link-button"
              onClick={() => {
                notifications.hide(id);
                void restore();
              }}
            >
              Undo
            </button>
          </>
        ),
      });
    },
  });
  return (
    <Group justify="center" gap="xs">
      {org.can('inbox.answer') && account && (
        <Button
          leftSection={<IconMessage size={18} />}
          loading={start.isPending}
          onClick={() => start.mutate(account.id)}
        >
          Open conversation
        </Button>
      )}
      {org.can('contacts.write') && (
        <Button variant="default" leftSection={<IconEdit size={18} />} onClick={onEdit}>
          Edit
        </Button>
      )}
      {org.can('contacts.delete') && (
        <Button
          variant="default"
          leftSection={<IconTrash size={18} />}
          loading={remove.isPending}
          onClick={() => remove.mutate()}
        >
          Delete
        </Button>
      )}
    </Group>
  );
}
