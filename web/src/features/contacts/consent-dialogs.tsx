import { Button, Group, Modal, Stack, Text } from '@mantine/core';
import { notifications } from '@mantine/notifications';
import { useMutation, useQuery, useQueryClient } from '@tanstack/react-query';
import { useState } from 'react';
import { Problem } from '@/components/problem';
import { membersQuery, useOrg } from '@/features/tenancy/queries';
import { useNow } from '@/lib/clock';
import { exactTime, relativeAge } from '@/lib/time';
import { call } from './api';
import { ConsentBadge } from './consent-badge';
import { ConsentFields, type ConsentGiven } from './consent-fields';
import classes from './contact-page.module.css';
import { type Contact, consentNames, consentSourceNames, wordFor } from './model';
import { consentHistoryQuery, contactKey } from './queries';

export function ChangeDialog({ contact, onClose }: { contact: Contact; onClose: () => void }) {
  const { orgId } = useOrg();
  const queryClient = useQueryClient();
  const [given, setGiven] = useState<ConsentGiven>({
    status: contact.opt_in_status === 'opted_in' ? 'opted_out' : 'opted_in',
    source: 'manual',
    evidence: '',
  });
  const change = useMutation({
    mutationFn: () =>
      call('set_contact_consent', {
        p_id: contact.id,
        p_status: given.status,
        p_source: given.source,
        p_evidence: given.evidence.trim() || undefined,
      }),
    onSuccess: async () => {
      onClose();
      notifications.show({ color: 'green', message: `Opt-in: ${wordFor(consentNames, given.status)}.` });
      await Promise.all([
        queryClient.invalidateQueries({ queryKey: contactKey(orgId, contact.id) }),
        queryClient.invalidateQueries({ queryKey: ['org', orgId, 'contacts'] }),
      ]);
    },
  });
  return (
    <Modal opened onClose={onClose} title="Change opt-in" closeButtonProps={{ 'aria-label': 'Close' }}>
      <form
        onSubmit={(event) => {
          event.preventDefault();
          change.mutate();
        }}
      >
        <ConsentFields value={given} onChange={setGiven} />
        <Stack mt="md">
          <Problem error={change.error} />
          <Group justify="flex-end">
            <Button variant="default" onClick={onClose}>
              Cancel
            </Button>
            <Button
              type="submit"
              loading={change.isPending}
              disabled={given.status === contact.opt_in_status}
            >
              Save
            </Button>
          </Group>
        </Stack>
      </form>
    </Modal>
  );
}

export function HistoryDialog({ contact, onClose }: { contact: Contact; onClose: () => void }) {
  const { orgId } = useOrg();
  const now = useNow(60_000);
  const history = useQuery(consentHistoryQuery(orgId, contact.id));
  const members = useQuery(membersQuery(orgId));
  const who = (id: string | null) => members.data?.find((member) => member.userId === id)?.name;
  return (
    <Modal opened onClose={onClose} title="Opt-in history" closeButtonProps={{ 'aria-label': 'Close' }}>
      <Problem error={history.error} onRetry={() => void history.refetch()} />
      {history.data?.length === 0 && <Text c="dimmed">It has never been changed.</Text>}
      <ul className={classes.history}>
        {history.data?.map((change) => (
          <li key={change.id}>
            <Group gap="xs">
              {change.old_status && <ConsentBadge status={change.old_status} />}
              {change.old_status && <span>→</span>}
              <ConsentBadge status={change.new_status} />
            </Group>
            <Text size="sm" mt={4}>
              {wordFor(consentSourceNames, change.source)}
              {who(change.actor_id) && ` · ${who(change.actor_id)}`} ·{' '}
              <time dateTime={change.created_at} title={exactTime(change.created_at)}>
                {relativeAge(change.created_at, now)}
              </time>
            </Text>
            {change.evidence && (
              <Text size="sm" c="dimmed" style={{ overflowWrap: 'anywhere' }}>
                {change.evidence}
              </Text>
            )}
          </li>
        ))}
      </ul>
    </Modal>
  );
}
