import { ActionIcon, Avatar, Group, Kbd, Menu, Text, Title, UnstyledButton } from '@mantine/core';
import {
  IconKeyboard,
  IconLogout,
  IconMenu2,
  IconPalette,
  IconSearch,
  IconSettings,
} from '@tabler/icons-react';
import { useMatches, useNavigate } from '@tanstack/react-router';
import { usePageTitle } from '@/components/page-title';
import { ThemeMenu } from '@/components/theme-menu';
import { NotificationBell } from '@/features/activity/notification-bell';
import { signOut, useUser } from '@/features/auth/session';
import { forgetInboxOnThisDevice } from '@/features/inbox/local';
import { roleNames } from '@/features/tenancy/permissions';
import { useMembers, useOrg } from '@/features/tenancy/queries';
import { ConnectionState } from './connection-state';
import classes from './shell.module.css';

interface TopBarProps {
  onMenu: () => void;
  onSearch: () => void;
  onSearchIntent: () => void;
  onHelp: () => void;
}

export function TopBar({ onMenu, onSearch, onSearchIntent, onHelp }: TopBarProps) {
  return (
    <header className={classes.top}>
      <ActionIcon size={44} onClick={onMenu} aria-label="Open the menu" hiddenFrom="sm">
        <IconMenu2 size={22} />
      </ActionIcon>
      <PageHeading />
      <ConnectionState />
      <UnstyledButton
        className={classes.search}
        onClick={onSearch}
        onPointerEnter={onSearchIntent}
        onFocus={onSearchIntent}
        aria-label="Search"
        aria-keyshortcuts="Control+K Meta+K"
      >
        <IconSearch size={18} aria-hidden />
        <span className={classes.searchLabel}>Search</span>
        <Kbd className={classes.searchKeys} size="xs">
          {/Mac|iPhone|iPad/.test(navigator.platform) ? '⌘ K' : 'Ctrl K'}
        </Kbd>
      </UnstyledButton>
      <NotificationBell />
      <Group visibleFrom="sm" gap={0}>
        <ThemeMenu />
      </Group>
      <UserMenu onHelp={onHelp} />
    </header>
  );
}

function PageHeading() {
  const title = useMatches({
    select: (matches) => matches.findLast((match) => match.staticData.title)?.staticData.title,
  });
  const current = title ?? 'OctoPush';
  usePageTitle(current);
  return (
    <Title order={1} className={classes.title} fz={{ base: 18, sm: 22 }} lh={1.25}>
      {current}
    </Title>
  );
}

function UserMenu({ onHelp }: { onHelp: () => void }) {
  const user = useUser();
  const org = useOrg();
  const members = useMembers();
  const navigate = useNavigate();
  const name = members.data?.find((member) => member.userId === user.id)?.name ?? user.email ?? 'You';
  const leave = async () => {
    await signOut();
    forgetInboxOnThisDevice(user.id);
  };
  return (
    <Menu position="bottom-end" width={260}>
      <Menu.Target>
        <UnstyledButton aria-label={`Account of ${name}`} w={44} h={44} bdrs="xl">
          <Avatar name={name} color="brand" size={38} m={3} alt="" />
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
