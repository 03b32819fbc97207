import { Button, Group, Skeleton, Stack, Text, Title } from '@mantine/core';
import {
  IconArrowBackUp,
  IconArrowMerge,
  IconBroadcast,
  IconCircle,
  IconCircleCheck,
  IconEdit,
  IconEraser,
  IconMessage,
  IconMessageForward,
  IconNote,
  IconPlayerPlay,
  IconSend,
  IconShieldCheck,
  IconTag,
  IconTagOff,
  IconTrash,
  IconUserPlus,
} from '@tabler/icons-react';
import { useInfiniteQuery, useQuery } from '@tanstack/react-query';
import { Problem } from '@/components/problem';
import { useOrg } from '@/features/tenancy/queries';
import { useNow } from '@/lib/clock';
import { exactTime, relativeAge } from '@/lib/time';
import classes from './contact-page.module.css';
import type { Contact } from './model';
import { tagsQuery, timelineQuery } from './queries';
import { type Mark, timelineWords } from './timeline-words';

const icons: Record<Mark, typeof IconCircle> = {
  sent: IconSend,
  received: IconMessageForward,
  campaign: IconBroadcast,
  flow: IconPlayerPlay,
  'flow-done': IconCircleCheck,
  tag: IconTag,
  'tag-off': IconTagOff,
  consent: IconShieldCheck,
  note: IconNote,
  created: IconUserPlus,
  updated: IconEdit,
  merged: IconArrowMerge,
  trash: IconTrash,
  restored: IconArrowBackUp,
  erased: IconEraser,
  conversation: IconMessage,
  other: IconCircle,
};

export function Timeline({ contact }: { contact: Contact }) {
  const { orgId } = useOrg();
  const now = useNow(60_000);
  const timeline = useInfiniteQuery(timelineQuery(orgId, contact.id));
  const tags = useQuery(tagsQuery(orgId));
  const tagName = (id: string) => tags.data?.find((tag) => tag.id === id)?.name;
  const events = timeline.data?.pages.flatMap((page) => page.events) ?? [];
  return (
    <section className={classes.card} aria-labelledby="timeline-title">
      <Title order={3} id="timeline-title" fz="md" mb="md">
        Activity
      </Title>
      {timeline.isPending && (
        <Stack role="status" aria-label="Loading">
          {[0, 1, 2, 3].map((row) => (
            <Group key={row} wrap="nowrap">
              <Skeleton circle height={32} />
              <Skeleton height={16} />
            </Group>
          ))}
        </Stack>
      )}
      <Problem
        error={timeline.isFetchNextPageError ? undefined : timeline.error}
        onRetry={() => void timeline.refetch()}
      />
      {timeline.isSuccess && events.length === 0 && <Text c="dimmed">Nothing has happened yet.</Text>}
      <ol className={classes.timeline}>
        {events.map((event) => {
          const { mark, text, quote } = timelineWords(event, tagName);
          const Icon = icons[mark];
          return (
            <li key={event.id} className={classes.event}>
              <span className={classes.mark}>
                <Icon size={17} stroke={1.7} aria-hidden />
              </span>
              <div className={classes.eventText}>
                <Text size="sm">{text}</Text>
                {quote && (
                  <Text size="sm" c="dimmed" className={classes.quote} dir="auto">
                    {quote}
                  </Text>
                )}
                <Text size="xs" c="dimmed" component="time" dateTime={event.at} title={exactTime(event.at)}>
                  {relativeAge(event.at, now)}
                </Text>
              </div>
            </li>
          );
        })}
      </ol>
      {timeline.hasNextPage && (
        <Button
          variant="default"
          fullWidth
          loading={timeline.isFetchingNextPage}
          onClick={() => void timeline.fetchNextPage()}
        >
          Load more
        </Button>
      )}
      {timeline.isFetchNextPageError && <Problem error={timeline.error} />}
    </section>
  );
}
