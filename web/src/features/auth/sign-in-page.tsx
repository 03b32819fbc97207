import { Alert, Button, Group, Stack, TextInput } from '@mantine/core';
import { useForm } from '@mantine/form';
import { useMutation } from '@tanstack/react-query';
import { getRouteApi, useNavigate } from '@tanstack/react-router';
import { Problem } from '@/components/problem';
import { TextLink } from '@/components/text-link';
import { hasCode } from '@/lib/errors';
import { backend } from '@/lib/supabase';
import { AuthCard } from './auth-layout';
import { emailProblem, passwordProblem } from './fields';
import { PasswordField } from './password-field';
import { useAuth } from './session';

const route = getRouteApi('/_guest/sign-in');

export function SignInPage() {
  const { next, email } = route.useSearch();
  const { ended } = useAuth();
  const navigate = useNavigate();
  const form = useForm({
    initialValues: { email: email ?? '', password: '' },
    validate: { email: emailProblem, password: passwordProblem },
  });
  const signIn = useMutation({
    mutationFn: async (values: { email: string; password: string }) => {
      const { error } = await backend().auth.signInWithPassword({
        email: values.email.trim(),
        password: values.password,
      });
      if (error) throw error;
    },
    onSuccess: () => navigate({ to: next ?? '/', replace: true }),
  });
  return (
    <AuthCard
      title="Welcome back"
      subtitle="Sign in to your team’s inbox."
      footer={
        <>
          New here?{' '}
          <TextLink to="/sign-up" search={{ next }}>
            Create an account
          </TextLink>
        </>
      }
    >
      <form onSubmit={form.onSubmit((values) => signIn.mutate(values))} noValidate>
        <Stack>
          {ended === 'expired' && !signIn.error && (
            <Alert color="yellow" variant="light" role="status">
              You were signed out because your session ended. Sign in to carry on where you were.
            </Alert>
          )}
          <TextInput
            label="E-mail"
            type="email"
            autoComplete="username"
            size="md"
            required
            withAsterisk={false}
            {...form.getInputProps('email')}
          />
          <PasswordField
            label="Password"
            autoComplete="current-password"
            required
            withAsterisk={false}
            {...form.getInputProps('password')}
          />
          <Problem error={signIn.error} />
          {hasCode(signIn.error, 'email_not_confirmed') && (
            <TextLink to="/check-mail" search={{ email: form.values.email.trim(), kind: 'signup', next }}>
              Send the mail again
            </TextLink>
          )}
          <Button type="submit" size="md" loading={signIn.isPending} fullWidth>
            Sign in
          </Button>
          <Group justify="center">
            <TextLink to="/forgot-password" search={{ email: form.values.email.trim() || undefined }}>
              Forgot your password?
            </TextLink>
          </Group>
        </Stack>
      </form>
    </AuthCard>
  );
}
