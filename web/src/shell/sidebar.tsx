import { ActionIcon, Box, Text, Tooltip } from '@mantine/core';
import {
  IconLayoutSidebarLeftCollapse,
  IconLayoutSidebarLeftExpand,
  IconSettings,
} from '@tabler/icons-react';
import { Link, useLocation } from '@tanstack/react-router';
import { Logo } from '@/components/logo';
import { useUnreadCount } from '@/features/inbox/queries';
import { useOrg } from '@/features/tenancy/queries';
import { count, plural } from '@/lib/time';
import { pages } from './navigation';
import classes from './shell.module.css';

interface SidebarProps {
  rail: boolean;
  onToggle?: () => void;
  onNavigate?: () => void;
}

export function Sidebar({ rail, onToggle, onNavigate }: SidebarProps) {
  const org = useOrg();
  const unread = useUnreadCount();
  const inSettings = useLocation({ select: (location) => location.pathname.startsWith('/settings/') });
  return (
    <Box component="aside" className={classes.sidebar} data-rail={rail || undefined}>
      <div className={classes.brand}>
        <Logo />
        {!rail && (
          <div className={classes.brandName}>
            <Text fw={700} size="lg" lh={1.2}>
              OctoPush
            </Text>
            <Text size="sm" c="dimmed" truncate title={org.organization.name}>
              {org.organization.name}
            </Text>
          </div>
        )}
      </div>
      <nav aria-label="Main" className={classes.nav}>
        {pages.map(({ to, params, label, Icon }) => {
          const badge = label === 'Conversations' ? unread : 0;
          return (
            <Item key={to} rail={rail} label={label}>
              <Link
                to={to}
                params={params}
                activeOptions={{ exact: false, includeSearch: false }}
                className={classes.navLink}
                activeProps={{ 'data-active': true, 'aria-current': 'page' }}
                aria-label={badge > 0 ? `${label}, ${plural(badge, 'unread conversation')}` : label}
                preload="intent"
                onClick={onNavigate}
              >
                <Icon size={20} stroke={1.7} aria-hidden />
                {!rail && <span className={classes.navLabel}>{label}</span>}
                {badge > 0 && (
                  <span className={classes.navBadge} aria-hidden>
                    {badge > 99 ? '99+' : count(badge)}
                  </span>
                )}
              </Link>
            </Item>
          );
        })}
        <div className={classes.navFoot}>
          <Item rail={rail} label="Settings">
            <Link
              to="/settings/$section"
              params={{ section: 'organization' }}
              className={classes.navLink}
              data-active={inSettings || undefined}
              aria-current={inSettings ? 'page' : undefined}
              aria-label="Settings"
              preload="intent"
              onClick={onNavigate}
            >
              <IconSettings size={20} stroke={1.7} aria-hidden />
              {!rail && <span className={classes.navLabel}>Settings</span>}
            </Link>
          </Item>
        </div>
      </nav>
      {onToggle && (
        <Tooltip label={rail ? 'Expand the sidebar' : 'Collapse the sidebar'} position="right">
          <ActionIcon
            className={classes.collapse}
            size={44}
            onClick={onToggle}
            aria-label={rail ? 'Expand the sidebar' : 'Collapse the sidebar'}
            aria-expanded={!rail}
          >
            {rail ? <IconLayoutSidebarLeftExpand size={20} /> : <IconLayoutSidebarLeftCollapse size={20} />}
          </ActionIcon>
        </Tooltip>
      )}
    </Box>
  );
}

function Item({ rail, label, children }: { rail: boolean; label: string; children: React.ReactElement }) {
  return (
    <Tooltip label={label} position="right" disabled={!rail} openDelay={200}>
      {children}
    </Tooltip>
  );
}
