import { Alert, Button, CopyButton, Group, Modal, Stack, Text, TextInput, Title } from '@mantine/core';
import { IconKey } from '@tabler/icons-react';
import { useMutation } from '@tanstack/react-query';
import { useState } from 'react';
import { Problem } from '@/components/problem';
import { useOrg } from '@/features/tenancy/queries';
import { ConversionHelp } from './conversion-help';
import { rotateConversionSecret } from './queries';

/** What a website signs its callbacks with. */
export function ConversionSecret() {
  const org = useOrg();
  const [asking, setAsking] = useState(false);
  const [secret, setSecret] = useState<string>();
  const rotate = useMutation({
    mutationFn: () => rotateConversionSecret(org.orgId),
    onSuccess: (made) => {
      setAsking(false);
      setSecret(made);
    },
  });
  return (
    <section aria-labelledby="conversions-title">
      <Title order={3} fz="md" id="conversions-title" mb={8}>
        Sales reported by your website
      </Title>
      <Stack gap="sm" align="flex-start">
        <Text c="dimmed">
          Your booking page or shop can tell OctoPush of a sale, so that campaigns show what they earned. It
          signs each call with a secret.
        </Text>
        {org.can('settings.manage') ? (
          <Button variant="default" leftSection={<IconKey size={18} />} onClick={() => setAsking(true)}>
            Make a new secret
          </Button>
        ) : (
          <Text size="sm">An owner or admin can make the secret.</Text>
        )}
        <ConversionHelp />
      </Stack>
      {asking && (
        <Modal
          opened
          onClose={() => setAsking(false)}
          title="Make a new secret?"
          closeButtonProps={{ 'aria-label': 'Close' }}
        >
          <Stack>
            <Text>
              A secret made before stops working at once. Sales reported with it are refused until your
              website has the new one.
            </Text>
            <Problem error={rotate.error} />
            <Group justify="flex-end">
              <Button variant="default" onClick={() => setAsking(false)} data-autofocus>
                Keep the old one
              </Button>
              <Button color="red" loading={rotate.isPending} onClick={() => rotate.mutate()}>
                Make a new secret
              </Button>
            </Group>
          </Stack>
        </Modal>
      )}
      {secret && (
        <Modal
          opened
          onClose={() => setSecret(undefined)}
          title="Your new secret"
          closeOnClickOutside={false}
          closeButtonProps={{ 'aria-label': 'Close' }}
        >
          <Stack>
            <Alert color="yellow" variant="light">
              Copy it now: it is shown this once.
            </Alert>
            <TextInput label="Secret" readOnly value={secret} ff="monospace" />
            <Group justify="flex-end">
              <CopyButton value={secret}>
                {({ copied, copy }) => <Button onClick={copy}>{copied ? 'Copied' : 'Copy'}</Button>}
              </CopyButton>
            </Group>
          </Stack>
        </Modal>
      )}
    </section>
  );
}
