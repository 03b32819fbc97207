import { ActionIcon, Center, Loader, Skeleton, Stack, Tooltip } from '@mantine/core';
import { IconArrowDown } from '@tabler/icons-react';
import { useEffect, useLayoutEffect, useMemo, useRef, useState } from 'react';
import { LoadProblem } from '@/components/problem';
import { useMembers } from '@/features/tenancy/queries';
import { useNow } from '@/lib/clock';
import { dayLabel, plural } from '@/lib/time';
import { Bubble, type BubbleActions } from './bubble';
import classes from './chat.module.css';
import type { useMessages } from './messages';
import type { Unsent } from './outbox';
import { stillUnsent } from './outbox';
import { SystemLine } from './system-line';
import { buildThread, type Line } from './thread';

interface MessageListProps {
  query: ReturnType<typeof useMessages>;
  unsent: Unsent[];
  unread: { from?: string; count: number };
  contactName: string;
  me: string;
  mayAnswer: boolean;
  actions: Omit<BubbleActions, 'jumpTo'>;
}

/** From here on the newest message is out of sight and a way back is offered. */
const FAR_FROM_NEWEST = 400;
const LOAD_OLDER_WITHIN = 600;

export function MessageList(props: MessageListProps) {
  const { query, unsent, unread, me } = props;
  const scroller = useRef<HTMLElement>(null);
  const [far, setFar] = useState(false);
  const today = useNow(60_000);
  const members = useMembers();
  const { messages } = query;

  const lines = useMemo(
    () =>
      buildThread(messages, stillUnsent(unsent, messages), {
        me,
        unreadFrom: unread.from,
        unreadCount: unread.count,
      }),
    [messages, unsent, me, unread.from, unread.count],
  );
  const byId = useMemo(() => new Map(messages.map((message) => [message.id, message])), [messages]);
  const byWaId = useMemo(
    () =>
      new Map(
        messages.flatMap((message) =>
          message.wa_message_id ? [[message.wa_message_id, message] as const] : [],
        ),
      ),
    [messages],
  );
  const names = useMemo(
    () => new Map(members.data?.map((member) => [member.userId, member.name])),
    [members.data],
  );
  const newestKey = lines.findLast((line) => line.kind === 'bubble' && line.side === 'out')?.key;

  useKeepPlace(scroller, lines);

  const { hasNextPage, isFetchingNextPage, fetchNextPage } = query;
  const onScroll = () => {
    const box = scroller.current;
    if (!box) return;
    // In a reversed column scrollTop is 0 at the newest message and negative above it.
    setFar(box.scrollTop < -FAR_FROM_NEWEST);
    const above = box.scrollHeight - box.clientHeight + box.scrollTop;
    if (above < LOAD_OLDER_WITHIN && hasNextPage && !isFetchingNextPage) void fetchNextPage();
  };
  // A first page that does not fill the view leaves nothing to scroll.
  useEffect(() => {
    const box = scroller.current;
    if (box && hasNextPage && !isFetchingNextPage && box.scrollHeight <= box.clientHeight)
      void fetchNextPage();
  }, [hasNextPage, isFetchingNextPage, fetchNextPage]);

  const actions = useStableActions({
    ...props.actions,
    jumpTo: (id) => {
      const target = document.getElementById(`message-${id}`);
      target?.scrollIntoView({ block: 'center' });
      target?.classList.add(classes.highlight ?? '');
      setTimeout(() => target?.classList.remove(classes.highlight ?? ''), 1_600);
    },
  });

  if (query.isPending) return <ThreadSkeleton />;
  if (query.isError && messages.length === 0) {
    return (
      <Center flex={1}>
        <LoadProblem error={query.error} what="this conversation" onRetry={() => void query.refetch()} />
      </Center>
    );
  }
  const author = (line: Extract<Line, { kind: 'bubble' }>) => {
    if (line.side === 'in') return undefined;
    if (line.said.source === 'local' || line.said.message.sent_by === me) return undefined;
    return line.said.message.sent_by
      ? (names.get(line.said.message.sent_by) ?? 'A former colleague')
      : undefined;
  };
  return (
    <div style={{ position: 'relative', display: 'flex', flex: 1, minHeight: 0, flexDirection: 'column' }}>
      <section
        className={classes.scroller}
        ref={scroller}
        onScroll={onScroll}
        // biome-ignore lint/a11y/noNoninteractiveTabindex: a scrolling region must be reachable by keyboard
        tabIndex={0}
        aria-label="Messages"
      >
        <div className={classes.thread}>
          {hasNextPage && (
            <Center py="sm" aria-label="Loading older messages" role="status">
              <Loader size="sm" />
            </Center>
          )}
          {lines.map((line) => {
            if (line.kind === 'day') {
              return (
                <div key={line.key} className={classes.day}>
                  {dayLabel(line.time, today)}
                </div>
              );
            }
            if (line.kind === 'unread') {
              return (
                <div key={line.key} className={classes.unread}>
                  {plural(line.count, 'unread message')}
                </div>
              );
            }
            if (line.kind === 'system') return <SystemLine key={line.key} message={line.message} />;
            const message = line.said.source === 'server' ? line.said.message : undefined;
            return (
              <Bubble
                key={line.key}
                line={line}
                quoted={
                  byId.get(message?.reply_to_message_id ?? '') ??
                  byWaId.get(message?.reply_to_wa_message_id ?? '')
                }
                author={author(line)}
                contactName={props.contactName}
                newest={line.key === newestKey}
                mayAnswer={props.mayAnswer}
                actions={actions}
              />
            );
          })}
        </div>
      </section>
      {far && (
        <Tooltip label="Jump to the newest message">
          <ActionIcon
            className={classes.jump}
            variant="default"
            size={44}
            radius="xl"
            aria-label="Jump to the newest message"
            onClick={() => scroller.current?.scrollTo({ top: 0 })}
          >
            <IconArrowDown size={20} />
          </ActionIcon>
        </Tooltip>
      )}
    </div>
  );
}

/** While somebody reads further up, what arrives below must not push the text away under their eyes. */
function useKeepPlace(scroller: React.RefObject<HTMLElement | null>, lines: Line[]) {
  const newest = lines.at(-1)?.key;
  const previous = useRef({ newest, height: 0 });
  useLayoutEffect(() => {
    const box = scroller.current;
    if (!box) return;
    const before = previous.current;
    if (before.newest !== newest && before.height > 0) {
      const last = lines.at(-1);
      const mine = last?.kind === 'bubble' && last.said.source === 'local';
      if (mine) box.scrollTop = 0;
      else if (box.scrollTop < -8) box.scrollTop -= box.scrollHeight - before.height;
    }
    previous.current = { newest, height: box.scrollHeight };
  });
}

/** One object for the life of the list, so that bubbles that did not change are not drawn again. */
function useStableActions(actions: BubbleActions): BubbleActions {
  const latest = useRef(actions);
  useLayoutEffect(() => {
    latest.current = actions;
  });
  return useMemo(
    () => ({
      reply: (message) => latest.current.reply(message),
      retryMessage: (message) => latest.current.retryMessage(message),
      retryUnsent: (key) => latest.current.retryUnsent(key),
      discardUnsent: (key) => latest.current.discardUnsent(key),
      jumpTo: (id) => latest.current.jumpTo(id),
    }),
    [],
  );
}

const shapes = [
  ['flex-start', 220],
  ['flex-start', 300],
  ['flex-end', 260],
  ['flex-start', 180],
  ['flex-end', 320],
  ['flex-end', 140],
] as const;

export function ThreadSkeleton() {
  return (
    <Stack flex={1} justify="flex-end" gap="sm" p="lg" role="status" aria-label="Loading messages">
      {shapes.map(([side, width], index) => (
        // biome-ignore lint/suspicious/noArrayIndexKey: a fixed drawing
        <Skeleton key={index} height={38} width={width} maw="70%" radius={18} style={{ alignSelf: side }} />
      ))}
    </Stack>
  );
}
