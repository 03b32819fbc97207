import { Button, Group, Modal, Radio, Skeleton, Stack, Text, TextInput, UnstyledButton } from '@mantine/core';
import { notifications } from '@mantine/notifications';
import { IconSearch } from '@tabler/icons-react';
import { useMutation, useQuery } from '@tanstack/react-query';
import { useNavigate } from '@tanstack/react-router';
import { useState } from 'react';
import { PersonAvatar } from '@/components/person-avatar';
import { Problem } from '@/components/problem';
import { useOrg } from '@/features/tenancy/queries';
import { useDebounced } from '@/lib/debounce';
import { call } from './api';
import { useRefreshContacts } from './contact-actions';
import { mergedFields, mergeSummary } from './merge';
import classes from './merge.module.css';
import { type Contact, contactName } from './model';
import { contactQuery, contactsQuery } from './queries';

export function MergeDialog({ contact, onClose }: { contact: Contact; onClose: () => void }) {
  const [other, setOther] = useState<string>();
  return (
    <Modal
      opened
      onClose={onClose}
      size={560}
      title={`Merge ${contactName(contact)} with…`}
      closeButtonProps={{ 'aria-label': 'Close' }}
    >
      {other ? (
        <Preview contact={contact} otherId={other} onBack={() => setOther(undefined)} onClose={onClose} />
      ) : (
        <Search contact={contact} onChoose={setOther} />
      )}
    </Modal>
  );
}

function Search({ contact, onChoose }: { contact: Contact; onChoose: (id: string) => void }) {
  const { orgId } = useOrg();
  // Doubles usually carry the same name.
  const [typed, setTyped] = useState(contact.full_name?.split(' ')[0] ?? '');
  const q = useDebounced(typed.trim(), 300);
  const found = useQuery(contactsQuery(orgId, { q, sort: 'recent', page: 1, size: 10 }));
  const others = found.data?.rows.filter((row) => row.id !== contact.id) ?? [];
  return (
    <Stack>
      <TextInput
        type="search"
        label="The other contact"
        placeholder="Search name, number, e-mail, company"
        leftSection={<IconSearch size={18} aria-hidden />}
        value={typed}
        onChange={(event) => setTyped(event.currentTarget.value)}
        data-autofocus
      />
      <Problem error={found.error} onRetry={() => void found.refetch()} />
      {found.isPending && <Skeleton height={140} role="status" aria-label="Loading" />}
      {found.isSuccess && others.length === 0 && (
        <Text c="dimmed" role="status">
          Nobody else found.
        </Text>
      )}
      <ul className={classes.found} aria-label="Contacts found">
        {others.map((row) => (
          <li key={row.id}>
            <UnstyledButton className={classes.choice} onClick={() => onChoose(row.id)}>
              <PersonAvatar src={row.avatar_url} name={contactName(row)} size={36} />
              <span className={classes.text}>
                <Text fw={600} truncate dir="auto">
                  {contactName(row)}
                </Text>
                <Text size="sm" c="dimmed" truncate>
                  {[row.phone, row.email].filter(Boolean).join(' · ')}
                </Text>
              </span>
            </UnstyledButton>
          </li>
        ))}
      </ul>
    </Stack>
  );
}

interface PreviewProps {
  contact: Contact;
  otherId: string;
  onBack: () => void;
  onClose: () => void;
}

function Preview({ contact, otherId, onBack, onClose }: PreviewProps) {
  const { orgId } = useOrg();
  const navigate = useNavigate();
  const refresh = useRefreshContacts();
  const other = useQuery(contactQuery(orgId, otherId));
  const [keepId, setKeepId] = useState(contact.id);
  const merge = useMutation({
    mutationFn: ({ keep, gone }: { keep: Contact; gone: Contact }) =>
      call('merge_contacts', { p_keep_id: keep.id, p_merge_id: gone.id }),
    onSuccess: async (_, { keep }) => {
      notifications.show({ color: 'green', message: 'The two are one now.' });
      onClose();
      await navigate({ to: '/contacts/$contactId', params: { contactId: keep.id }, replace: true });
      await refresh(keep.id);
    },
  });
  if (other.isError) return <Problem error={other.error} onRetry={() => void other.refetch()} />;
  if (!other.data) return <Skeleton height={220} role="status" aria-label="Loading" />;
  const [keep, gone] = keepId === contact.id ? [contact, other.data] : [other.data, contact];
  return (
    <Stack>
      <Radio.Group label="Which one stays?" value={keepId} onChange={setKeepId}>
        <Stack gap={6} mt={6}>
          {[contact, other.data].map((each) => (
            <Radio
              key={each.id}
              value={each.id}
              label={[contactName(each), each.phone].filter(Boolean).join(' · ')}
            />
          ))}
        </Stack>
      </Radio.Group>
      <div>
        <Text fw={600} mb={4}>
          What you get
        </Text>
        <dl className={classes.preview}>
          {mergedFields(keep, gone).map((row) => (
            <div key={row.label}>
              <dt>{row.label}</dt>
              <dd dir="auto">
                {row.keep}
                {row.taken && <span className={classes.note}> taken over</span>}
                {row.lost && <span className={classes.lost}>{row.lost}</span>}
              </dd>
            </div>
          ))}
        </dl>
      </div>
      <Text size="sm" c="dimmed">
        {mergeSummary(keep, gone)} This can’t be undone.
      </Text>
      <Problem error={merge.error} />
      <Group justify="space-between">
        <Button variant="default" onClick={onBack}>
          Choose another
        </Button>
        <Button loading={merge.isPending} onClick={() => merge.mutate({ keep, gone })}>
          Merge contacts
        </Button>
      </Group>
    </Stack>
  );
}
