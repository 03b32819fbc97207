import { Button, Group, Select, Stack, TextInput } from '@mantine/core';
import { useForm } from '@mantine/form';
import { notifications } from '@mantine/notifications';
import { useMutation, useQueryClient } from '@tanstack/react-query';
import { useMemo } from 'react';
import { Problem } from '@/components/problem';
import { nameProblem } from '@/features/auth/fields';
import { useUser } from '@/features/auth/session';
import { answer, backend } from '@/lib/supabase';
import { countries, timeZones } from './places';
import { membershipQuery, useOrg } from './queries';

export function OrganizationSettings() {
  const org = useOrg();
  const user = useUser();
  const queryClient = useQueryClient();
  const manage = org.can('settings.manage');
  const countryChoices = useMemo(countries, []);
  const zoneChoices = useMemo(timeZones, []);
  const form = useForm({
    initialValues: {
      name: org.organization.name,
      country: org.organization.country,
      timeZone: org.organization.time_zone,
    },
    validate: { name: nameProblem },
  });
  const save = useMutation({
    mutationFn: (values: typeof form.values) =>
      answer(
        backend().rpc('update_organization', {
          p_org_id: org.orgId,
          p_name: values.name.trim(),
          p_country: values.country,
          p_time_zone: values.timeZone,
        }),
      ),
    onSuccess: async (_, values) => {
      form.resetDirty(values);
      notifications.show({ color: 'green', message: 'Saved.' });
      await queryClient.invalidateQueries({ queryKey: membershipQuery(user.id).queryKey });
    },
  });
  return (
    <form onSubmit={form.onSubmit((values) => save.mutate(values))} noValidate>
      <Stack maw={520}>
        <TextInput label="Name" size="md" disabled={!manage} {...form.getInputProps('name')} />
        <Select
          label="Country"
          description="Phone numbers without a country code are read as numbers from here."
          data={countryChoices}
          searchable
          allowDeselect={false}
          size="md"
          disabled={!manage}
          {...form.getInputProps('country')}
        />
        <Select
          label="Time zone"
          data={zoneChoices}
          searchable
          allowDeselect={false}
          size="md"
          disabled={!manage}
          {...form.getInputProps('timeZone')}
        />
        <Problem error={save.error} />
        {manage && (
          <Group>
            <Button type="submit" loading={save.isPending} disabled={!form.isDirty()}>
              Save changes
            </Button>
          </Group>
        )}
      </Stack>
    </form>
  );
}
