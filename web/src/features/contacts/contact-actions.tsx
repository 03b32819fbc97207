import { notifications } from '@mantine/notifications';
import { useMutation, useQuery, useQueryClient } from '@tanstack/react-query';
import { useNavigate } from '@tanstack/react-router';
import { useOrg } from '@/features/tenancy/queries';
import { accountsQuery } from '@/features/whatsapp/queries';
import { wordsFor } from '@/lib/errors';
import { answer, backend } from '@/lib/supabase';
import { call } from './api';
import { type Contact, contactName } from './model';
import { contactKey } from './queries';

const fail = (error: unknown) => notifications.show({ color: 'red', message: wordsFor(error) });

/** How long somebody has to change their mind (ui.md, "Nothing is lost"). */
const UNDO_MS = 8_000;

export function showUndo(message: string, undo?: () => Promise<unknown>): void {
  const id = notifications.show({
    color: 'green',
    autoClose: UNDO_MS,
    message: undo ? (
      <>
        {message}{' '}
        <button
          type="button"
          className="op-link-button"
          onClick={() => {
            notifications.hide(id);
            undo().catch(fail);
          }}
        >
          Undo
        </button>
      </>
    ) : (
      message
    ),
  });
}

export function useRefreshContacts() {
  const queryClient = useQueryClient();
  const { orgId } = useOrg();
  return (id?: string) =>
    Promise.all([
      ...['contacts', 'conversations', 'conversation', 'overview'].map((what) =>
        queryClient.invalidateQueries({ queryKey: ['org', orgId, what] }),
      ),
      ...(id ? [queryClient.invalidateQueries({ queryKey: contactKey(orgId, id) })] : []),
    ]);
}

/** What is done to one contact as a whole, from its row or its page. */
export function useContactActions(contact: Pick<Contact, 'id' | 'full_name' | 'username' | 'phone'>) {
  const org = useOrg();
  const navigate = useNavigate();
  const refresh = useRefreshContacts();
  const accounts = useQuery(accountsQuery(org.orgId));
  const account =
    accounts.data?.find((each) => each.status === 'connected') ??
    accounts.data?.find((each) => each.status !== 'disconnected');

  const start = useMutation({
    mutationFn: (accountId: string) =>
      answer(
        backend().rpc('start_conversation', { p_contact_id: contact.id, p_whatsapp_account_id: accountId }),
      ),
    onSuccess: (conversationId) =>
      navigate({ to: '/conversations/{-$conversationId}', params: { conversationId } }),
    onError: fail,
  });
  const restore = useMutation({
    mutationFn: () => call('restore_contact', { p_id: contact.id }),
    onSuccess: () => {
      notifications.show({ color: 'green', message: `${contactName(contact)} is back.` });
      return refresh(contact.id);
    },
    onError: fail,
  });
  const remove = useMutation({
    mutationFn: () => call('delete_contact', { p_id: contact.id }),
    onSuccess: async () => {
      showUndo(
        `${contactName(contact)} is in the trash.`,
        // Only who may look into the trash may take somebody out again.
        org.can('contacts.trash')
          ? async () => {
              await call('restore_contact', { p_id: contact.id });
              await refresh(contact.id);
            }
          : undefined,
      );
      await refresh(contact.id);
    },
    onError: fail,
  });
  const saveData = useMutation({
    mutationFn: async () => {
      const data = await call('export_contact', { p_id: contact.id });
      const { downloadJson } = await import('@/features/jobs/download');
      downloadJson(data, `contact-${contact.id}.json`);
    },
    onError: fail,
  });
  return {
    /** Absent for who may not answer, and while no number is connected. */
    start: org.can('inbox.answer') && account ? () => start.mutate(account.id) : undefined,
    starting: start.isPending,
    remove,
    restore,
    saveData,
  };
}
