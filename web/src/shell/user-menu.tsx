import { Kbd, Menu, Text, UnstyledButton } from '@mantine/core';
import { IconKeyboard, IconLogout, IconPalette, IconSettings } from '@tabler/icons-react';
import { useNavigate } from '@tanstack/react-router';
import { PersonAvatar } from '@/components/person-avatar';
import { signOut, useUser } from '@/features/auth/session';
import { forgetCampaignsOnThisDevice } from '@/features/campaigns/local';
import { forgetContactsOnThisDevice } from '@/features/contacts/local';
import { forgetInboxOnThisDevice } from '@/features/inbox/local';
import { forgetSegmentsOnThisDevice } from '@/features/segments/local';
import { forgetTemplatesOnThisDevice } from '@/features/templates/local';
import { roleNames } from '@/features/tenancy/permissions';
import { useMembers, useOrg } from '@/features/tenancy/queries';

export function UserMenu({ onHelp }: { onHelp: () => void }) {
  const user = useUser();
  const org = useOrg();
  const members = useMembers();
  const navigate = useNavigate();
  const name = members.data?.find((member) => member.userId === user.id)?.name ?? user.email ?? 'You';
  const leave = async () => {
    await signOut();
    forgetInboxOnThisDevice(user.id);
    forgetSegmentsOnThisDevice(user.id);
    forgetCampaignsOnThisDevice(user.id);
    forgetTemplatesOnThisDevice(user.id);
    forgetContactsOnThisDevice();
  };
  return (
    <Menu position="bottom-end" width={260}>
      <Menu.Target>
        <UnstyledButton aria-label={`Account of ${name}`} w={44} h={44} bdrs="xl">
          <PersonAvatar name={name} color="brand" size={38} m={3} />
        </UnstyledButton>
      </Menu.Target>
      <Menu.Dropdown>
        <div style={{ padding: '8px 12px' }}>
          <Text fw={600} truncate>
            {name}
          </Text>
          <Text size="sm" c="dimmed" truncate>
            {user.email}
          </Text>
          <Text size="sm" c="dimmed" truncate>
            {roleNames[org.role]} at {org.organization.name}
          </Text>
        </div>
        <Menu.Divider />
        <Menu.Item
          leftSection={<IconSettings size={18} />}
          onClick={() => void navigate({ to: '/settings/$section', params: { section: 'organization' } })}
        >
          Settings
        </Menu.Item>
        <Menu.Item
          leftSection={<IconPalette size={18} />}
          onClick={() => void navigate({ to: '/settings/$section', params: { section: 'appearance' } })}
        >
          Appearance
        </Menu.Item>
        <Menu.Item
          leftSection={<IconKeyboard size={18} />}
          rightSection={<Kbd size="xs">?</Kbd>}
          onClick={onHelp}
        >
          Keyboard shortcuts
        </Menu.Item>
        <Menu.Divider />
        <Menu.Item leftSection={<IconLogout size={18} />} onClick={() => void leave()}>
          Sign out
        </Menu.Item>
      </Menu.Dropdown>
    </Menu>
  );
}
