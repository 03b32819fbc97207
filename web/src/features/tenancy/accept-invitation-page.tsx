import { Button, Stack, Text } from '@mantine/core';
import { useMutation, useQueryClient } from '@tanstack/react-query';
import { getRouteApi, useNavigate } from '@tanstack/react-router';
import { Problem } from '@/components/problem';
import { TextLink } from '@/components/text-link';
import { AuthCard } from '@/features/auth/auth-layout';
import { signOut, useAuth } from '@/features/auth/session';
import { answer, backend } from '@/lib/supabase';
import { membershipQuery } from './queries';

const route = getRouteApi('/_guest/invitations/$token');

export function AcceptInvitationPage() {
  const { token } = route.useParams();
  const { session } = useAuth();
  const navigate = useNavigate();
  const queryClient = useQueryClient();
  const here = `/invitations/${token}`;
  const accept = useMutation({
    mutationFn: () => answer(backend().rpc('accept_invitation', { p_token: token })),
    onSuccess: async () => {
      if (session) await queryClient.fetchQuery({ ...membershipQuery(session.user.id), staleTime: 0 });
      await navigate({ to: '/dashboard', replace: true });
    },
  });

  if (!session) {
    return (
      <AuthCard title="You’re invited" subtitle="Join your team’s inbox on OctoPush.">
        <Stack>
          <Text>Use the e-mail address the invitation was sent to.</Text>
          <Button size="md" onClick={() => void navigate({ to: '/sign-up', search: { next: here } })}>
            Create an account
          </Button>
          <TextLink to="/sign-in" search={{ next: here }} ta="center">
            I already have an account
          </TextLink>
        </Stack>
      </AuthCard>
    );
  }
  return (
    <AuthCard title="You’re invited" subtitle={`Signed in as ${session.user.email ?? ''}`}>
      <Stack>
        <Text>Accept to join the team that invited you.</Text>
        <Problem error={accept.error} />
        <Button size="md" loading={accept.isPending} onClick={() => accept.mutate()}>
          Join the team
        </Button>
        <Button variant="subtle" onClick={() => void signOut()}>
          Use another account
        </Button>
      </Stack>
    </AuthCard>
  );
}
