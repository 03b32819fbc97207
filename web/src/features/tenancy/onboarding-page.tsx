import { Button, NativeSelect, Stack, TextInput } from '@mantine/core';
import { useForm } from '@mantine/form';
import { useMutation, useQueryClient } from '@tanstack/react-query';
import { useNavigate } from '@tanstack/react-router';
import { useEffect, useMemo } from 'react';
import { Problem } from '@/components/problem';
import { AuthCard } from '@/features/auth/auth-layout';
import { nameProblem } from '@/features/auth/fields';
import { signOut, useUser } from '@/features/auth/session';
import { readStored, store } from '@/lib/storage';
import { answer, backend } from '@/lib/supabase';
import { countries, localCountry, localTimeZone, timeZones } from './places';
import { membershipQuery } from './queries';

const DRAFT = 'octopush:onboarding';

export function OnboardingPage() {
  const user = useUser();
  const navigate = useNavigate();
  const queryClient = useQueryClient();
  const countryChoices = useMemo(countries, []);
  const zoneChoices = useMemo(timeZones, []);
  const form = useForm({
    initialValues: {
      fullName: String(user.user_metadata.full_name ?? ''),
      organisation: '',
      country: localCountry(),
      timeZone: localTimeZone(),
      ...(readStored(DRAFT) as object | undefined),
    },
    validate: {
      fullName: nameProblem,
      organisation: nameProblem,
      country: (value) => (value ? null : 'Choose your country.'),
      timeZone: (value) => (value ? null : 'Choose your time zone.'),
    },
  });
  useEffect(() => store(DRAFT, form.values), [form.values]);

  const complete = useMutation({
    mutationFn: (values: typeof form.values) =>
      answer(
        backend().rpc('complete_onboarding', {
          p_full_name: values.fullName.trim(),
          p_org_name: values.organisation.trim(),
          p_country: values.country,
          p_time_zone: values.timeZone,
        }),
      ),
    onSuccess: async () => {
      store(DRAFT, undefined);
      await queryClient.fetchQuery({ ...membershipQuery(user.id), staleTime: 0 });
      await navigate({ to: '/dashboard', replace: true });
    },
  });

  return (
    <AuthCard
      title="Set up your workspace"
      subtitle="Two minutes, then you can connect your WhatsApp number."
      footer={
        <Button variant="subtle" size="compact-sm" onClick={() => void signOut()}>
          Sign out of {user.email}
        </Button>
      }
    >
      <form onSubmit={form.onSubmit((values) => complete.mutate(values))} noValidate>
        <Stack>
          <TextInput
            label="Your name"
            description="Your colleagues see it beside your replies."
            autoComplete="name"
            size="md"
            {...form.getInputProps('fullName')}
          />
          <TextInput
            label="Organisation"
            autoComplete="organization"
            size="md"
            {...form.getInputProps('organisation')}
          />
          <NativeSelect
            label="Country"
            description="Phone numbers without a country code are read as numbers from here."
            data={countryChoices}
            size="md"
            {...form.getInputProps('country')}
          />
          <NativeSelect label="Time zone" data={zoneChoices} size="md" {...form.getInputProps('timeZone')} />
          <Problem error={complete.error} />
          <Button type="submit" size="md" loading={complete.isPending} fullWidth>
            Create workspace
          </Button>
        </Stack>
      </form>
    </AuthCard>
  );
}
