import { Button, Group, Loader, Stack, Text } from '@mantine/core';
import { useQuery } from '@tanstack/react-query';
import { getRouteApi, Navigate } from '@tanstack/react-router';
import { Problem } from '@/components/problem';
import { TextLink } from '@/components/text-link';
import { backend } from '@/lib/supabase';
import { AuthCard } from './auth-layout';
import { arrivalHash, useAuth } from './session';

const route = getRouteApi('/_guest/verify');

/**
 * Where links from mails arrive: with `token_hash`, which is posted from here (a mail scanner that only fetches links
 * cannot burn it), or with a session or an error in the hash, which GoTrue's own verify endpoint leaves there.
 */
export function VerifyPage() {
  const { token_hash: tokenHash, type, next, error_code: queryError } = route.useSearch();
  const { session } = useAuth();
  const hashError = arrivalHash.get('error_code') ?? (arrivalHash.get('error') ? 'otp_expired' : undefined);
  const failure = queryError ?? hashError;

  // A query rather than a mutation: React may mount this page twice, the token works only once.
  const verification = useQuery({
    queryKey: ['verify', tokenHash, type],
    enabled: Boolean(tokenHash),
    staleTime: Number.POSITIVE_INFINITY,
    refetchOnWindowFocus: false,
    refetchOnReconnect: false,
    queryFn: async () => {
      const { error } = await backend().auth.verifyOtp({ token_hash: tokenHash ?? '', type });
      if (error) throw error;
      return true;
    },
  });

  if (tokenHash ? verification.isSuccess : session && !failure) {
    return type === 'recovery' ? (
      <Navigate to="/reset-password" replace />
    ) : (
      <Navigate to={next ?? '/'} replace />
    );
  }
  if (tokenHash && verification.isPending) {
    return (
      <AuthCard title="Confirming your e-mail">
        <Group role="status">
          <Loader size="sm" />
          <Text>One moment, please…</Text>
        </Group>
      </AuthCard>
    );
  }
  return (
    <AuthCard title="That link didn’t work">
      <Stack>
        <Problem
          error={verification.error ?? { code: failure ?? 'otp_expired' }}
          onRetry={verification.isError ? () => void verification.refetch() : undefined}
        />
        <Text>Links work once and for a limited time. Sign in and we’ll offer to send you a fresh one.</Text>
        <Button
          component="a"
          href={next ? `/sign-in?next=${encodeURIComponent(next)}` : '/sign-in'}
          size="md"
        >
          Go to sign in
        </Button>
        <TextLink to="/forgot-password" ta="center">
          Reset your password instead
        </TextLink>
      </Stack>
    </AuthCard>
  );
}
