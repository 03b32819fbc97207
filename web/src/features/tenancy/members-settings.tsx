import {
  ActionIcon,
  Badge,
  Button,
  Group,
  Menu,
  Paper,
  Select,
  Skeleton,
  Stack,
  Text,
  Title,
} from '@mantine/core';
import { modals } from '@mantine/modals';
import { notifications } from '@mantine/notifications';
import { IconCrown, IconDotsVertical, IconUserMinus } from '@tabler/icons-react';
import { useMutation, useQuery, useQueryClient } from '@tanstack/react-query';
import { PersonAvatar } from '@/components/person-avatar';
import { LoadProblem } from '@/components/problem';
import { useUser } from '@/features/auth/session';
import { wordsFor } from '@/lib/errors';
import { answer, backend } from '@/lib/supabase';
import { longDate } from '@/lib/time';
import { InviteForm } from './invite-form';
import { asRole, type Role, roleHints, roleNames } from './permissions';
import { invitationsQuery, type Member, membershipQuery, membersQuery, useMembers, useOrg } from './queries';
import classes from './settings.module.css';

const assignable: Role[] = ['admin', 'campaign_manager', 'agent', 'viewer'];

/** One change of members: done, shown, and told in words when the database says no. */
function useMemberChange() {
  const { orgId } = useOrg();
  const user = useUser();
  const queryClient = useQueryClient();
  return useMutation({
    mutationFn: ({
      request,
    }: {
      request: () => PromiseLike<{ data: unknown; error: unknown }>;
      done: string;
    }) => answer(request()),
    onSuccess: (_, { done }) => notifications.show({ color: 'green', message: done }),
    onError: (error) => notifications.show({ color: 'red', message: wordsFor(error) }),
    onSettled: () =>
      Promise.all([
        queryClient.invalidateQueries({ queryKey: membersQuery(orgId).queryKey }),
        queryClient.invalidateQueries({ queryKey: invitationsQuery(orgId).queryKey }),
        queryClient.invalidateQueries({ queryKey: membershipQuery(user.id).queryKey }),
      ]),
  });
}

export function MembersSettings() {
  const org = useOrg();
  const members = useMembers();
  const manage = org.can('settings.manage');
  if (members.isPending) {
    return (
      <Stack aria-label="Loading members" role="status">
        <Skeleton height={60} />
        <Skeleton height={60} />
        <Skeleton height={60} />
      </Stack>
    );
  }
  if (members.isError)
    return <LoadProblem error={members.error} what="the members" onRetry={() => void members.refetch()} />;
  return (
    <Stack gap="xl">
      <ul className={classes.members} aria-label="Members">
        {members.data.map((member) => (
          <MemberRow key={member.userId} member={member} />
        ))}
      </ul>
      {manage && (
        <Paper withBorder p="lg">
          <InviteForm />
        </Paper>
      )}
      {manage && <Invitations />}
    </Stack>
  );
}

function MemberRow({ member }: { member: Member }) {
  const org = useOrg();
  const me = useUser();
  const change = useMemberChange();
  const own = member.userId === me.id;
  const editable = org.can('settings.manage') && member.role !== 'owner' && !own;

  const setRole = (role: Role) =>
    change.mutate({
      request: () =>
        backend().rpc('set_member_role', { p_org_id: org.orgId, p_user_id: member.userId, p_role: role }),
      done: `${member.name} is now ${roleNames[role].toLowerCase()}.`,
    });
  const remove = () =>
    modals.openConfirmModal({
      title: own ? 'Leave this organisation?' : `Remove ${member.name}?`,
      children: own
        ? 'You lose access at once. Somebody has to invite you to come back.'
        : 'They lose access at once. Their conversations become unassigned; their messages stay.',
      labels: { confirm: own ? 'Leave' : 'Remove', cancel: 'Cancel' },
      confirmProps: { color: 'red' },
      onConfirm: () =>
        change.mutate({
          request: () => backend().rpc('remove_member', { p_org_id: org.orgId, p_user_id: member.userId }),
          done: own ? 'You have left the organisation.' : `${member.name} was removed.`,
        }),
    });
  const transfer = () =>
    modals.openConfirmModal({
      title: `Make ${member.name} the owner?`,
      children: 'You become an admin. Only the new owner can give the ownership back.',
      labels: { confirm: 'Transfer ownership', cancel: 'Cancel' },
      onConfirm: () =>
        change.mutate({
          request: () =>
            backend().rpc('transfer_ownership', { p_org_id: org.orgId, p_user_id: member.userId }),
          done: `${member.name} owns the organisation now.`,
        }),
    });
  const mayLeave = own && member.role !== 'owner';
  return (
    <li className={classes.member}>
      <PersonAvatar src={member.avatarUrl} name={member.name} />
      <div className={classes.memberName}>
        <Text fw={600} truncate title={member.name}>
          {member.name}{' '}
          {own && (
            <Text span c="dimmed">
              (you)
            </Text>
          )}
        </Text>
        <Text size="sm" c="dimmed" truncate title={member.email}>
          {member.email}
        </Text>
      </div>
      {editable ? (
        <Select
          aria-label={`Role of ${member.name}`}
          w={190}
          allowDeselect={false}
          value={member.role}
          onChange={(value) => value && setRole(asRole(value))}
          data={assignable.map((role) => ({ value: role, label: roleNames[role] }))}
          renderOption={({ option }) => (
            <div>
              <Text>{option.label}</Text>
              <Text size="xs" c="dimmed">
                {roleHints[asRole(option.value)]}
              </Text>
            </div>
          )}
        />
      ) : (
        <Badge variant="light" color="gray" size="lg">
          {roleNames[member.role]}
        </Badge>
      )}
      {(editable || mayLeave) && (
        <Menu position="bottom-end">
          <Menu.Target>
            <ActionIcon size={44} aria-label={`More for ${member.name}`}>
              <IconDotsVertical size={18} />
            </ActionIcon>
          </Menu.Target>
          <Menu.Dropdown>
            {org.role === 'owner' && editable && (
              <Menu.Item leftSection={<IconCrown size={18} />} onClick={transfer}>
                Make owner
              </Menu.Item>
            )}
            <Menu.Item leftSection={<IconUserMinus size={18} />} color="red" onClick={remove}>
              {own ? 'Leave the organisation' : 'Remove'}
            </Menu.Item>
          </Menu.Dropdown>
        </Menu>
      )}
    </li>
  );
}

function Invitations() {
  const { orgId } = useOrg();
  const invitations = useQuery(invitationsQuery(orgId));
  const change = useMemberChange();
  if (!invitations.data || invitations.data.length === 0) return null;
  return (
    <div>
      <Title order={3} fz="lg">
        Open invitations
      </Title>
      <ul className={classes.members} aria-label="Open invitations">
        {invitations.data.map((invitation) => (
          <li key={invitation.id} className={classes.member}>
            <div className={classes.memberName}>
              <Text fw={600} truncate title={invitation.email}>
                {invitation.email}
              </Text>
              <Text size="sm" c="dimmed">
                {roleNames[asRole(invitation.role)]} · valid until {longDate(invitation.expires_at)}
              </Text>
            </div>
            <Group>
              <Button
                variant="default"
                onClick={() =>
                  change.mutate({
                    request: () => backend().rpc('revoke_invitation', { p_id: invitation.id }),
                    done: 'The invitation no longer works.',
                  })
                }
              >
                Withdraw
              </Button>
            </Group>
          </li>
        ))}
      </ul>
    </div>
  );
}
