import { Alert, Button, Group, Select, Stack, Text, TextInput, Title } from '@mantine/core';
import { useForm } from '@mantine/form';
import { IconFlask } from '@tabler/icons-react';
import { useMutation, useQuery, useQueryClient } from '@tanstack/react-query';
import { useState } from 'react';
import { Problem } from '@/components/problem';
import { PasswordField } from '@/features/auth/password-field';
import { useOrg } from '@/features/tenancy/queries';
import { config } from '@/lib/config';
import { describeError } from '@/lib/errors';
import { answer, backend } from '@/lib/supabase';
import { accountsQuery } from './queries';
import { type SandboxAccount, sandboxQuery } from './sandbox';
import { WhereToFind } from './where-to-find';

const digits = (value: string) => value.replaceAll(/\s/g, '');
const idProblem = (value: string) =>
  /^\d{1,32}$/.test(digits(value)) ? null : 'This is a number of up to 32 digits.';

const fieldNames = {
  waba_id: 'wabaId',
  phone_number_id: 'phoneNumberId',
  access_token: 'accessToken',
} as const;

export function ConnectForm({ onDone, onCancel }: { onDone: () => void; onCancel?: () => void }) {
  const org = useOrg();
  const queryClient = useQueryClient();
  const form = useForm({
    initialValues: { wabaId: '', phoneNumberId: '', accessToken: '' },
    validate: {
      wabaId: idProblem,
      phoneNumberId: idProblem,
      accessToken: (value) => (value.trim().length >= 8 ? null : 'Paste the whole access token.'),
    },
  });
  const connect = useMutation({
    mutationFn: (values: typeof form.values) =>
      answer(
        backend().rpc('connect_whatsapp_account', {
          p_org_id: org.orgId,
          p_waba_id: digits(values.wabaId),
          p_phone_number_id: digits(values.phoneNumberId),
          p_access_token: values.accessToken.trim(),
        }),
      ),
    onSuccess: async () => {
      // The token must not linger in the page's memory longer than needed.
      form.reset();
      await queryClient.invalidateQueries({ queryKey: accountsQuery(org.orgId).queryKey });
      onDone();
    },
    onError: (error) => {
      const { field } = describeError(error).details;
      const name = fieldNames[field as keyof typeof fieldNames];
      if (name) form.setFieldError(name, 'Please check this.');
    },
  });
  return (
    <form onSubmit={form.onSubmit((values) => connect.mutate(values))} noValidate>
      <Stack maw={520}>
        <div>
          <Title order={3} fz="lg">
            Connect a WhatsApp number
          </Title>
          <Text c="dimmed">Paste the three values of your number from Meta.</Text>
        </div>
        <SandboxOffer
          onUse={({ wabaId, phoneNumberId, accessToken }) => {
            const values = { wabaId, phoneNumberId, accessToken };
            form.setValues(values);
            connect.mutate(values);
          }}
          busy={connect.isPending}
        />
        <TextInput
          label="WhatsApp Business account id"
          inputMode="numeric"
          autoComplete="off"
          size="md"
          {...form.getInputProps('wabaId')}
        />
        <TextInput
          label="Phone number id"
          description="Not the phone number itself: the id Meta shows under it."
          inputMode="numeric"
          autoComplete="off"
          size="md"
          {...form.getInputProps('phoneNumberId')}
        />
        <PasswordField
          label="Access token"
          description="Kept encrypted. Nobody can read it here again, you included."
          autoComplete="off"
          {...form.getInputProps('accessToken')}
        />
        <WhereToFind />
        <Problem error={connect.error} />
        <Group>
          <Button type="submit" size="md" loading={connect.isPending}>
            Connect
          </Button>
          {onCancel && (
            <Button variant="default" size="md" onClick={onCancel}>
              Cancel
            </Button>
          )}
        </Group>
      </Stack>
    </form>
  );
}

function SandboxOffer({ onUse, busy }: { onUse: (account: SandboxAccount) => void; busy: boolean }) {
  const sandbox = useQuery(sandboxQuery());
  const [chosen, setChosen] = useState<string | null>(null);
  if (!config().sandboxUrl) return null;
  const accounts = sandbox.data ?? [];
  const account = accounts.find((each) => each.phoneNumberId === chosen) ?? accounts[0];
  return (
    <Alert color="blue" variant="light" icon={<IconFlask aria-hidden />} title="This is a local run">
      <Stack gap="sm" align="flex-start">
        <Text size="sm">
          Try everything without Meta: the sandbox plays WhatsApp, and you can play the customer there.
        </Text>
        {sandbox.isError && <Text size="sm">The sandbox doesn’t answer at the moment.</Text>}
        {accounts.length > 1 && (
          <Select
            aria-label="Sandbox number"
            value={account?.phoneNumberId ?? null}
            onChange={setChosen}
            allowDeselect={false}
            data={accounts.map(({ phoneNumberId, label }) => ({ value: phoneNumberId, label }))}
          />
        )}
        <Button
          variant="default"
          disabled={!account}
          loading={busy}
          onClick={() => account && onUse(account)}
        >
          Use the sandbox number
        </Button>
      </Stack>
    </Alert>
  );
}
