import { Button, Group, ScrollArea, Skeleton, Stack, Text, UnstyledButton } from '@mantine/core';
import {
  IconAlertTriangle,
  IconBell,
  IconBellOff,
  IconClockExclamation,
  IconMessagePlus,
  IconSend,
  IconTemplate,
  IconUserCheck,
} from '@tabler/icons-react';
import { type UseQueryResult, useMutation, useQuery, useQueryClient } from '@tanstack/react-query';
import { useNavigate } from '@tanstack/react-router';
import { Hint, LoadProblem } from '@/components/problem';
import { useMembers, useOrg } from '@/features/tenancy/queries';
import { useNow } from '@/lib/clock';
import { answer, backend } from '@/lib/supabase';
import { exactTime, relativeAge } from '@/lib/time';
import classes from './activity.module.css';
import { contactIdOf, type NotificationRow, notificationWords } from './notification-words';
import { contactNamesQuery, notificationsQuery } from './queries';

const icons = {
  assigned: IconUserCheck,
  inbox: IconMessagePlus,
  window: IconClockExclamation,
  account: IconAlertTriangle,
  campaign: IconSend,
  template: IconTemplate,
  other: IconBell,
};

interface NotificationListProps {
  query: UseQueryResult<NotificationRow[]>;
  onClose: () => void;
}

export default function NotificationList({ query, onClose }: NotificationListProps) {
  const { orgId } = useOrg();
  const queryClient = useQueryClient();
  const navigate = useNavigate();
  const members = useMembers();
  const now = useNow(30_000);
  const rows = query.data ?? [];
  const contacts = useQuery(
    contactNamesQuery(
      orgId,
      rows.flatMap((row) => contactIdOf(row) ?? []),
    ),
  );
  const unread = rows.filter((row) => !row.read_at);

  const markRead = useMutation({
    mutationFn: (ids: string[] | undefined) =>
      answer(backend().rpc('mark_notifications_read', { p_org_id: orgId, ...(ids ? { p_ids: ids } : {}) })),
    onMutate: (ids) => {
      const readAt = new Date().toISOString();
      queryClient.setQueryData(notificationsQuery(orgId).queryKey, (old) =>
        old?.map((row) => (!ids || ids.includes(row.id) ? { ...row, read_at: row.read_at ?? readAt } : row)),
      );
    },
    onSettled: () => queryClient.invalidateQueries({ queryKey: notificationsQuery(orgId).queryKey }),
  });

  return (
    <>
      <Group justify="space-between" px="md" py="sm" className={classes.head}>
        <Text fw={600} size="lg">
          Notifications
        </Text>
        {unread.length > 0 && (
          <Button variant="subtle" size="compact-sm" onClick={() => markRead.mutate(undefined)}>
            Mark all as read
          </Button>
        )}
      </Group>
      {query.isPending && (
        <Stack p="md" aria-label="Loading notifications" role="status">
          <Skeleton height={40} />
          <Skeleton height={40} />
        </Stack>
      )}
      {query.isError && rows.length === 0 && (
        <LoadProblem error={query.error} what="your notifications" onRetry={() => void query.refetch()} />
      )}
      {query.isSuccess && rows.length === 0 && (
        <Hint icon={<IconBellOff size={28} stroke={1.5} />} title="You’re up to date">
          When somebody assigns you a conversation, you hear about it here.
        </Hint>
      )}
      <ScrollArea.Autosize mah="min(60vh, 480px)" type="auto">
        {rows.map((row) => {
          const words = notificationWords(
            row,
            contacts.data?.get(contactIdOf(row) ?? ''),
            (id) => members.data?.find((member) => member.userId === id)?.name,
          );
          const Icon = icons[words.icon];
          return (
            <UnstyledButton
              key={row.id}
              className={classes.item}
              data-unread={!row.read_at || undefined}
              onClick={() => {
                if (!row.read_at) markRead.mutate([row.id]);
                onClose();
                if (words.conversationId) {
                  void navigate({
                    to: '/conversations/{-$conversationId}',
                    params: { conversationId: words.conversationId },
                  });
                } else if (words.campaignId) {
                  void navigate({
                    to: '/campaigns/$campaignId',
                    params: { campaignId: words.campaignId },
                  });
                } else if (words.templateId) {
                  void navigate({
                    to: '/templates/$templateId',
                    params: { templateId: words.templateId },
                  });
                } else if (words.settings) {
                  void navigate({ to: '/settings/$section', params: { section: words.settings } });
                }
              }}
            >
              <Icon size={20} stroke={1.7} aria-hidden style={{ flex: 'none', marginTop: 2 }} />
              <span className={classes.itemBody}>
                <span className={classes.itemTitle}>
                  {words.title}
                  {!row.read_at && <span className={classes.new}>New</span>}
                </span>
                {words.detail && <span>{words.detail}</span>}
                <time dateTime={row.created_at} title={exactTime(row.created_at)} className={classes.time}>
                  {relativeAge(row.created_at, now)}
                </time>
              </span>
            </UnstyledButton>
          );
        })}
      </ScrollArea.Autosize>
    </>
  );
}
