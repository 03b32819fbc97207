import { Button, Stack, Text } from '@mantine/core';
import { useForm } from '@mantine/form';
import { notifications } from '@mantine/notifications';
import { useMutation } from '@tanstack/react-query';
import { useNavigate } from '@tanstack/react-router';
import { Problem } from '@/components/problem';
import { TextLink } from '@/components/text-link';
import { backend } from '@/lib/supabase';
import { AuthCard } from './auth-layout';
import { newPasswordProblem } from './fields';
import { NewPasswordField } from './password-field';
import { arrivalHash, useAuth } from './session';

export function ResetPasswordPage() {
  const { session } = useAuth();
  const navigate = useNavigate();
  const form = useForm({ initialValues: { password: '' }, validate: { password: newPasswordProblem } });
  const change = useMutation({
    mutationFn: async ({ password }: { password: string }) => {
      const { error } = await backend().auth.updateUser({ password });
      if (error) throw error;
    },
    onSuccess: () => {
      notifications.show({ message: 'Your new password is set.', color: 'green' });
      return navigate({ to: '/', replace: true });
    },
  });

  if (!session) {
    return (
      <AuthCard title="Ask for a new link" footer={<TextLink to="/sign-in">Back to sign in</TextLink>}>
        <Stack>
          <Problem error={{ code: arrivalHash.get('error_code') ?? 'otp_expired' }} />
          <Text>Reset links work once and for a limited time.</Text>
          <Button component="a" href="/forgot-password" size="md">
            Send me a new link
          </Button>
        </Stack>
      </AuthCard>
    );
  }
  return (
    <AuthCard title="Choose a new password" subtitle={`For ${session.user.email ?? 'your account'}`}>
      <form onSubmit={form.onSubmit((values) => change.mutate(values))} noValidate>
        <Stack>
          <NewPasswordField
            label="New password"
            required
            withAsterisk={false}
            email={session.user.email ?? ''}
            {...form.getInputProps('password')}
          />
          <Problem error={change.error} />
          <Button type="submit" size="md" loading={change.isPending} fullWidth>
            Save and continue
          </Button>
        </Stack>
      </form>
    </AuthCard>
  );
}
