import { ActionIcon, Popover } from '@mantine/core';
import { IconBell } from '@tabler/icons-react';
import { useQuery } from '@tanstack/react-query';
import { Suspense, useState } from 'react';
import { useOrg } from '@/features/tenancy/queries';
import { lazyPart } from '@/lib/lazy-part';
import { usePolling } from '@/lib/realtime';
import { plural } from '@/lib/time';
import classes from './bell.module.css';
import { notificationsQuery } from './queries';

const NotificationList = lazyPart(async () => (await import('./notification-list')).default);

export function NotificationBell() {
  const { orgId } = useOrg();
  const polling = usePolling();
  const [opened, setOpened] = useState(false);
  const notifications = useQuery({ ...notificationsQuery(orgId), refetchInterval: polling });
  const unread = notifications.data?.filter((each) => !each.read_at).length ?? 0;
  return (
    <Popover
      opened={opened}
      onChange={setOpened}
      position="bottom-end"
      width="min(360px, 100vw - 16px)"
      shadow="md"
      trapFocus
      radius="md"
    >
      <Popover.Target>
        <ActionIcon
          size={44}
          className={classes.bell}
          aria-label={unread > 0 ? `Notifications, ${plural(unread, 'unread', 'unread')}` : 'Notifications'}
          title="Notifications"
          onClick={() => setOpened(!opened)}
        >
          <IconBell size={20} />
          {unread > 0 && <span className={classes.count}>{unread > 99 ? '99+' : unread}</span>}
        </ActionIcon>
      </Popover.Target>
      <Popover.Dropdown p={0} maw="100vw" aria-label="Notifications">
        <Suspense fallback={<div style={{ height: 200 }} />}>
          <NotificationList query={notifications} onClose={() => setOpened(false)} />
        </Suspense>
      </Popover.Dropdown>
    </Popover>
  );
}
