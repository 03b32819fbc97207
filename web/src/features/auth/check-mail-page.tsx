import { Alert, Anchor, Button, Stack, Text } from '@mantine/core';
import { IconMailCheck, IconMailOpened } from '@tabler/icons-react';
import { useMutation } from '@tanstack/react-query';
import { getRouteApi } from '@tanstack/react-router';
import { useState } from 'react';
import { Problem } from '@/components/problem';
import { TextLink } from '@/components/text-link';
import { useNow } from '@/lib/clock';
import { backend } from '@/lib/supabase';
import { AuthCard } from './auth-layout';
import { landing, localMailbox } from './links';

const route = getRouteApi('/_guest/check-mail');

/** GoTrue sends one person at most one mail a minute. */
const WAIT_SECONDS = 60;

export function CheckMailPage() {
  const { email, kind, next } = route.useSearch();
  const [sentAt, setSentAt] = useState(Date.now);
  const now = useNow(1_000);
  const wait = Math.max(0, WAIT_SECONDS - Math.max(0, Math.floor((now - sentAt) / 1_000)));
  const mailbox = localMailbox();

  const resend = useMutation({
    mutationFn: async () => {
      const { error } =
        kind === 'recovery'
          ? await backend().auth.resetPasswordForEmail(email, { redirectTo: landing('/reset-password') })
          : await backend().auth.resend({
              type: 'signup',
              email,
              options: { emailRedirectTo: landing('/verify', next) },
            });
      if (error) throw error;
    },
    onSuccess: () => setSentAt(Date.now()),
  });

  return (
    <AuthCard
      title="Check your mail"
      subtitle={
        <>
          We sent a link to{' '}
          <Text span fw={600} c="var(--op-text)" style={{ overflowWrap: 'anywhere' }}>
            {email}
          </Text>
          . {kind === 'recovery' ? 'Open it to choose a new password.' : 'Open it to confirm your address.'}
        </>
      }
      footer={
        <>
          Wrong address?{' '}
          {kind === 'recovery' ? (
            <TextLink to="/forgot-password">Try another one</TextLink>
          ) : (
            <TextLink to="/sign-up" search={{ next }}>
              Start again
            </TextLink>
          )}
        </>
      }
    >
      <Stack>
        <Text>Nothing there after a few minutes? Look in the spam folder, or let us send it again.</Text>
        {mailbox && (
          <Alert color="blue" variant="light" icon={<IconMailOpened aria-hidden />}>
            This is a local run: mails land in the{' '}
            <Anchor href={mailbox} target="_blank" rel="noreferrer" underline="always" c="inherit">
              local mailbox
            </Anchor>
            .
          </Alert>
        )}
        <Problem error={resend.error} />
        {resend.isSuccess && (
          <Alert color="green" variant="light" icon={<IconMailCheck aria-hidden />} role="status">
            Sent. It should arrive within a minute.
          </Alert>
        )}
        <Button
          variant="default"
          size="md"
          loading={resend.isPending}
          disabled={wait > 0}
          onClick={() => resend.mutate()}
        >
          {wait > 0 ? `Send again in ${wait} s` : 'Send again'}
        </Button>
        <TextLink to="/sign-in" search={{ next, email }} ta="center">
          Back to sign in
        </TextLink>
      </Stack>
    </AuthCard>
  );
}
