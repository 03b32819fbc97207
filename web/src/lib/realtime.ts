import type { RealtimeChannel } from '@supabase/supabase-js';
import { useEffect, useRef, useSyncExternalStore } from 'react';
import { backend } from './supabase';

/**
 * Private broadcast topics. The database may say less than happened (a broadcast can be lost, and none arrives while
 * the socket is down), so whoever joins is told to refetch after each (re)subscription and polls until then.
 */
export interface TopicListener {
  onEvent?: (event: string, payload: Record<string, unknown>) => void;
  /** After the first and every later subscription: what was missed must be read now. */
  onJoined?: () => void;
  onPresence?: (people: Record<string, Record<string, unknown>[]>) => void;
}

type Health = 'live' | 'joining' | 'down';

interface Topic {
  channel: RealtimeChannel;
  listeners: Set<TopicListener>;
  health: Health;
  leaving?: ReturnType<typeof setTimeout>;
}

/** Leaving late spares a join when somebody flicks back and forth between conversations. */
const LEAVE_AFTER_MS = 3_000;
/** A socket that is merely slow to join is not worth a warning. */
const DOWN_AFTER_MS = 3_000;
const REJOIN_AFTER_MS = 2_000;

const topics = new Map<string, Topic>();
const watchers = new Set<() => void>();
let health: Health = 'live';

function publish() {
  const states = [...topics.values()].map((topic) => topic.health);
  // The browser knows at once that the network is gone; the socket only when a heartbeat stays unanswered.
  const isDown = !navigator.onLine || states.includes('down');
  const next: Health = isDown ? 'down' : states.includes('joining') ? 'joining' : 'live';
  if (next === health) return;
  health = next;
  for (const watcher of watchers) watcher();
}

function open(name: string, listeners: Set<TopicListener>, presenceKey?: string): Topic {
  const channel = backend().channel(name, {
    config: { private: true, ...(presenceKey ? { presence: { key: presenceKey } } : {}) },
  });
  const topic: Topic = { channel, listeners, health: 'joining' };
  const isCurrent = () => topics.get(name) === topic;

  channel.on('broadcast', { event: '*' }, (message) => {
    for (const listener of listeners) listener.onEvent?.(message.event, message.payload ?? {});
  });
  if (presenceKey) {
    channel.on('presence', { event: 'sync' }, () => {
      const people = channel.presenceState() as Record<string, Record<string, unknown>[]>;
      for (const listener of listeners) listener.onPresence?.(people);
    });
  }
  const slow = setTimeout(() => {
    if (topic.health === 'joining' && isCurrent()) {
      topic.health = 'down';
      publish();
    }
  }, DOWN_AFTER_MS);

  channel.subscribe((status) => {
    if (!isCurrent()) return;
    if (status === 'SUBSCRIBED') {
      clearTimeout(slow);
      topic.health = 'live';
      publish();
      for (const listener of listeners) listener.onJoined?.();
      return;
    }
    topic.health = 'down';
    publish();
    // A channel the server closed is not joined again by the client itself; an errored one is.
    if (status === 'CLOSED') {
      setTimeout(() => {
        if (!isCurrent()) return;
        void backend().removeChannel(channel);
        topics.set(name, open(name, listeners, presenceKey));
        publish();
      }, REJOIN_AFTER_MS);
    }
  });
  return topic;
}

export function joinTopic(name: string, listener: TopicListener, presenceKey?: string): () => void {
  let topic = topics.get(name);
  if (topic) {
    clearTimeout(topic.leaving);
    topic.leaving = undefined;
    topic.listeners.add(listener);
    if (topic.health === 'live') listener.onJoined?.();
  } else {
    topic = open(name, new Set([listener]), presenceKey);
    topics.set(name, topic);
    publish();
  }
  return () => {
    const current = topics.get(name);
    if (!current) return;
    current.listeners.delete(listener);
    if (current.listeners.size > 0) return;
    current.leaving = setTimeout(() => {
      topics.delete(name);
      void backend().removeChannel(current.channel);
      publish();
    }, LEAVE_AFTER_MS);
  };
}

export function trackPresence(name: string, state: Record<string, unknown>): void {
  const topic = topics.get(name);
  if (topic?.health === 'live') void topic.channel.track(state);
}

/** Leaves everything at once: at sign-out, so that no topic of one person stays open for the next. */
export function leaveAllTopics(): void {
  for (const topic of topics.values()) clearTimeout(topic.leaving);
  topics.clear();
  void backend().removeAllChannels();
  publish();
}

window.addEventListener('offline', publish);
window.addEventListener('online', () => {
  publish();
  // A socket that outlived the gap will not say what it missed.
  for (const topic of topics.values()) {
    if (topic.health === 'live') for (const listener of topic.listeners) listener.onJoined?.();
  }
});

function watch(watcher: () => void): () => void {
  watchers.add(watcher);
  return () => watchers.delete(watcher);
}

export function useConnection(): Health {
  return useSyncExternalStore(watch, () => health);
}

export const POLL_MS = 5_000;

/** For `refetchInterval`: silent while the socket works, every 5 s while it does not. */
export function usePolling(): number | false {
  return useConnection() === 'down' ? POLL_MS : false;
}

export function useTopic(name: string | undefined, listener: TopicListener, presenceKey?: string): void {
  const latest = useRef(listener);
  useEffect(() => {
    latest.current = listener;
  });
  useEffect(() => {
    if (!name) return;
    return joinTopic(
      name,
      {
        onEvent: (event, payload) => latest.current.onEvent?.(event, payload),
        onJoined: () => latest.current.onJoined?.(),
        onPresence: (people) => latest.current.onPresence?.(people),
      },
      presenceKey,
    );
  }, [name, presenceKey]);
}

/** Ids of an event, or `all` when there were too many to list. */
export function eventIds(payload: Record<string, unknown>, key: string): string[] | 'all' {
  const ids = payload[key];
  if (!Array.isArray(ids)) return 'all';
  return ids.filter((id): id is string => typeof id === 'string');
}
