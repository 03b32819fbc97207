import { Button, Stack, TextInput } from '@mantine/core';
import { useForm } from '@mantine/form';
import { useMutation } from '@tanstack/react-query';
import { getRouteApi, useNavigate } from '@tanstack/react-router';
import { Problem } from '@/components/problem';
import { TextLink } from '@/components/text-link';
import { backend } from '@/lib/supabase';
import { AuthCard } from './auth-layout';
import { emailProblem } from './fields';
import { landing } from './links';

const route = getRouteApi('/_guest/forgot-password');

export function ForgotPasswordPage() {
  const { email } = route.useSearch();
  const navigate = useNavigate();
  const form = useForm({ initialValues: { email: email ?? '' }, validate: { email: emailProblem } });
  const request = useMutation({
    mutationFn: async (values: { email: string }) => {
      const { error } = await backend().auth.resetPasswordForEmail(values.email.trim(), {
        redirectTo: landing('/reset-password'),
      });
      if (error) throw error;
    },
    onSuccess: (_, values) =>
      navigate({ to: '/check-mail', search: { email: values.email.trim(), kind: 'recovery' } }),
  });
  return (
    <AuthCard
      title="Forgot your password?"
      subtitle="Tell us your e-mail and we’ll send you a link to choose a new one."
      footer={<TextLink to="/sign-in">Back to sign in</TextLink>}
    >
      <form onSubmit={form.onSubmit((values) => request.mutate(values))} noValidate>
        <Stack>
          <TextInput
            label="E-mail"
            type="email"
            autoComplete="username"
            size="md"
            required
            withAsterisk={false}
            {...form.getInputProps('email')}
          />
          <Problem error={request.error} />
          <Button type="submit" size="md" loading={request.isPending} fullWidth>
            Send the link
          </Button>
        </Stack>
      </form>
    </AuthCard>
  );
}
