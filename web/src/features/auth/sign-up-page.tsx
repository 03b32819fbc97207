import { Button, Stack, TextInput } from '@mantine/core';
import { useForm } from '@mantine/form';
import { useMutation } from '@tanstack/react-query';
import { getRouteApi, useNavigate } from '@tanstack/react-router';
import { Problem } from '@/components/problem';
import { TextLink } from '@/components/text-link';
import { hasCode } from '@/lib/errors';
import { backend } from '@/lib/supabase';
import { AuthCard } from './auth-layout';
import { emailProblem, newPasswordProblem } from './fields';
import { landing } from './links';
import { NewPasswordField } from './password-field';

const route = getRouteApi('/_guest/sign-up');

export function SignUpPage() {
  const { next, email } = route.useSearch();
  const navigate = useNavigate();
  const form = useForm({
    initialValues: { email: email ?? '', password: '' },
    validate: { email: emailProblem, password: newPasswordProblem },
    validateInputOnBlur: true,
  });
  const signUp = useMutation({
    mutationFn: async (values: { email: string; password: string }) => {
      const { data, error } = await backend().auth.signUp({
        email: values.email.trim(),
        password: values.password,
        options: { emailRedirectTo: landing('/verify', next) },
      });
      if (error) throw error;
      return data;
    },
    onSuccess: ({ session }, values) =>
      session
        ? navigate({ to: next ?? '/' })
        : navigate({ to: '/check-mail', search: { email: values.email.trim(), kind: 'signup', next } }),
  });
  return (
    <AuthCard
      title="Create your account"
      subtitle="Bring your team’s WhatsApp into one place."
      footer={
        <>
          Already have an account?{' '}
          <TextLink to="/sign-in" search={{ next }}>
            Sign in
          </TextLink>
        </>
      }
    >
      <form onSubmit={form.onSubmit((values) => signUp.mutate(values))} noValidate>
        <Stack>
          <TextInput
            label="Work e-mail"
            type="email"
            autoComplete="email"
            size="md"
            required
            withAsterisk={false}
            {...form.getInputProps('email')}
          />
          <NewPasswordField
            label="Password"
            required
            withAsterisk={false}
            email={form.values.email}
            {...form.getInputProps('password')}
          />
          <Problem error={signUp.error} />
          {hasCode(signUp.error, 'user_already_exists') && (
            <TextLink to="/sign-in" search={{ next, email: form.values.email }}>
              Sign in with this e-mail
            </TextLink>
          )}
          <Button type="submit" size="md" loading={signUp.isPending} fullWidth>
            Create account
          </Button>
        </Stack>
      </form>
    </AuthCard>
  );
}
