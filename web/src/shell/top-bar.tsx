import { ActionIcon, Group, Title, UnstyledButton } from '@mantine/core';
import { IconMenu2, IconSearch } from '@tabler/icons-react';
import { useMatches } from '@tanstack/react-router';
import { Suspense } from 'react';
import { usePageTitle } from '@/components/page-title';
import { lazyPart } from '@/lib/lazy-part';
import { ConnectionState } from './connection-state';
import classes from './shell.module.css';

// Menus are loaded right after the first paint, which does not wait for them.
const NotificationBell = lazyPart(
  async () => (await import('@/features/activity/notification-bell')).NotificationBell,
);
const ThemeMenu = lazyPart(async () => (await import('@/components/theme-menu')).ThemeMenu);
const UserMenu = lazyPart(async () => (await import('./user-menu')).UserMenu);

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
        <kbd className={classes.searchKeys}>
          {/Mac|iPhone|iPad/.test(navigator.platform) ? '⌘ K' : 'Ctrl K'}
        </kbd>
      </UnstyledButton>
      <Suspense fallback={<span className={classes.placeholder} />}>
        <NotificationBell />
        <Group visibleFrom="sm" gap={0}>
          <ThemeMenu />
        </Group>
        <UserMenu onHelp={onHelp} />
      </Suspense>
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
