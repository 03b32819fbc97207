import { Alert, Badge, Button, Group, Loader, Paper, Skeleton, Stack, Text, Title } from '@mantine/core';
import { modals } from '@mantine/modals';
import { notifications } from '@mantine/notifications';
import { IconAlertTriangle, IconCircleCheck, IconPlugConnectedX, IconPlus } from '@tabler/icons-react';
import { useMutation, useQuery, useQueryClient } from '@tanstack/react-query';
import { useState } from 'react';
import { LoadProblem } from '@/components/problem';
import { useOrg } from '@/features/tenancy/queries';
import { wordsFor } from '@/lib/errors';
import { usePolling } from '@/lib/realtime';
import { answer, backend } from '@/lib/supabase';
import { accountName, reasonWords } from './account-state';
import { ConnectForm } from './connect-form';
import { accountsQuery, type WhatsAppAccount } from './queries';

export function WhatsAppSettings() {
  const org = useOrg();
  const polling = usePolling();
  const accounts = useQuery({ ...accountsQuery(org.orgId), refetchInterval: polling });
  const [adding, setAdding] = useState(false);
  const manage = org.can('settings.manage');

  if (accounts.isPending) return <Skeleton height={120} radius="md" aria-label="Loading" />;
  if (accounts.isError) {
    return <LoadProblem error={accounts.error} what="your numbers" onRetry={() => void accounts.refetch()} />;
  }
  const shown = accounts.data.filter((account) => account.status !== 'disconnected');
  const connecting = adding || shown.length === 0;
  return (
    <Stack gap="lg">
      {shown.map((account) => (
        <AccountCard key={account.id} account={account} manage={manage} onReconnect={() => setAdding(true)} />
      ))}
      {!manage && shown.length === 0 && (
        <Text>No number is connected yet. An owner or admin of your organisation can connect one.</Text>
      )}
      {manage && connecting && (
        <Paper withBorder p="lg">
          <ConnectForm
            onDone={() => setAdding(false)}
            onCancel={shown.length > 0 ? () => setAdding(false) : undefined}
          />
        </Paper>
      )}
      {manage && !connecting && (
        <Group>
          <Button variant="default" leftSection={<IconPlus size={18} />} onClick={() => setAdding(true)}>
            Connect another number
          </Button>
        </Group>
      )}
    </Stack>
  );
}

const quality: Record<string, { color: string; word: string }> = {
  GREEN: { color: 'green', word: 'High quality' },
  YELLOW: { color: 'yellow', word: 'Medium quality' },
  RED: { color: 'red', word: 'Low quality' },
};

interface AccountCardProps {
  account: WhatsAppAccount;
  manage: boolean;
  onReconnect: () => void;
}

function AccountCard({ account, manage, onReconnect }: AccountCardProps) {
  const org = useOrg();
  const queryClient = useQueryClient();
  const disconnect = useMutation({
    mutationFn: () => answer(backend().rpc('disconnect_whatsapp_account', { p_id: account.id })),
    onError: (error) => notifications.show({ color: 'red', message: wordsFor(error) }),
    onSettled: () => queryClient.invalidateQueries({ queryKey: accountsQuery(org.orgId).queryKey }),
  });
  const confirm = () =>
    modals.openConfirmModal({
      title: `Disconnect ${accountName(account)}?`,
      children: 'Messages stay, but nobody can answer from here until the number is connected again.',
      labels: { confirm: 'Disconnect', cancel: 'Keep it connected' },
      confirmProps: { color: 'red' },
      onConfirm: () => disconnect.mutate(),
    });
  const rating = quality[account.quality_rating];
  return (
    <Paper withBorder p="lg" component="section" aria-label={accountName(account)}>
      <Group justify="space-between" align="flex-start" gap="md">
        <div>
          <Group gap="sm">
            <Title order={3} fz="lg">
              {accountName(account)}
            </Title>
            <AccountStatus status={account.status} />
            {rating && account.status === 'connected' && (
              <Badge color={rating.color} variant="light">
                {rating.word}
              </Badge>
            )}
          </Group>
          {account.display_phone_number && account.verified_name && (
            <Text mt={4}>{account.display_phone_number}</Text>
          )}
          <Text size="sm" c="dimmed" mt={4}>
            Phone number id {account.phone_number_id} · Account id {account.waba_id}
          </Text>
        </div>
        {manage && (
          <Group gap="xs">
            {account.status === 'error' && (
              <Button size="sm" onClick={onReconnect}>
                Connect again
              </Button>
            )}
            <Button size="sm" variant="default" loading={disconnect.isPending} onClick={confirm}>
              Disconnect
            </Button>
          </Group>
        )}
      </Group>
      {account.status === 'error' && (
        <Alert color="red" variant="light" mt="md" icon={<IconAlertTriangle aria-hidden />} role="alert">
          {reasonWords(account.status_reason)}
        </Alert>
      )}
      {account.status === 'connecting' && (
        <Text mt="md" c="dimmed" role="status">
          {account.status_reason
            ? reasonWords(account.status_reason)
            : 'Checking the details with WhatsApp. This takes a few seconds.'}
        </Text>
      )}
    </Paper>
  );
}

function AccountStatus({ status }: { status: string }) {
  switch (status) {
    case 'connected':
      return (
        <Badge color="green" variant="light" leftSection={<IconCircleCheck size={14} aria-hidden />}>
          Connected
        </Badge>
      );
    case 'connecting':
      return (
        <Badge
          color="blue"
          variant="light"
          leftSection={<Loader size={10} color="var(--op-info)" aria-hidden />}
        >
          Connecting
        </Badge>
      );
    case 'error':
      return (
        <Badge color="red" variant="light" leftSection={<IconAlertTriangle size={14} aria-hidden />}>
          Needs attention
        </Badge>
      );
    default:
      return (
        <Badge color="gray" variant="light" leftSection={<IconPlugConnectedX size={14} aria-hidden />}>
          Disconnected
        </Badge>
      );
  }
}
