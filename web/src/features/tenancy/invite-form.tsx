import { Alert, Button, Code, CopyButton, Group, Select, Stack, Text, TextInput, Title } from '@mantine/core';
import { useForm } from '@mantine/form';
import { IconCheck, IconCopy, IconLink } from '@tabler/icons-react';
import { useMutation, useQueryClient } from '@tanstack/react-query';
import { Problem } from '@/components/problem';
import { emailProblem } from '@/features/auth/fields';
import { answer, backend } from '@/lib/supabase';
import { asRole, type Role, roleHints, roleNames } from './permissions';
import { invitationsQuery, useOrg } from './queries';

const invitable: Role[] = ['agent', 'campaign_manager', 'admin', 'viewer'];

export function InviteForm() {
  const { orgId } = useOrg();
  const queryClient = useQueryClient();
  const form = useForm({
    initialValues: { email: '', role: 'agent' as Role },
    validate: { email: emailProblem },
  });
  const invite = useMutation({
    mutationFn: async (values: { email: string; role: Role }) => {
      const [made] = await answer(
        backend().rpc('invite_member', {
          p_org_id: orgId,
          p_email: values.email.trim(),
          p_role: values.role,
        }),
      );
      if (!made) throw { code: 'unknown' };
      return { email: values.email.trim(), link: `${window.location.origin}/invitations/${made.token}` };
    },
    onSuccess: async () => {
      form.reset();
      await queryClient.invalidateQueries({ queryKey: invitationsQuery(orgId).queryKey });
    },
  });
  return (
    <form onSubmit={form.onSubmit((values) => invite.mutate(values))} noValidate>
      <Stack>
        <Title order={3} fz="lg">
          Invite a colleague
        </Title>
        <Group align="flex-start">
          <TextInput
            label="E-mail"
            type="email"
            autoComplete="off"
            flex="1 1 220px"
            {...form.getInputProps('email')}
          />
          <Select
            label="Role"
            w={200}
            allowDeselect={false}
            data={invitable.map((role) => ({ value: role, label: roleNames[role] }))}
            {...form.getInputProps('role')}
          />
        </Group>
        <Text size="sm" c="dimmed">
          {roleNames[form.values.role]}: {roleHints[asRole(form.values.role)].toLowerCase()}.
        </Text>
        <Problem error={invite.error} />
        <Group>
          <Button type="submit" loading={invite.isPending}>
            Make an invitation
          </Button>
        </Group>
        {invite.data && (
          <Alert
            color="green"
            variant="light"
            icon={<IconLink aria-hidden />}
            title="Send this link to your colleague"
            role="status"
          >
            <Stack gap="sm" align="flex-start">
              <Text size="sm">
                It works once, for seven days, and only for {invite.data.email}. It isn’t shown again.
              </Text>
              <Code style={{ overflowWrap: 'anywhere', whiteSpace: 'normal' }} data-testid="invitation-link">
                {invite.data.link}
              </Code>
              <CopyButton value={invite.data.link}>
                {({ copied, copy }) => (
                  <Button
                    variant="default"
                    leftSection={copied ? <IconCheck size={18} /> : <IconCopy size={18} />}
                    onClick={copy}
                  >
                    {copied ? 'Copied' : 'Copy the link'}
                  </Button>
                )}
              </CopyButton>
            </Stack>
          </Alert>
        )}
      </Stack>
    </form>
  );
}
