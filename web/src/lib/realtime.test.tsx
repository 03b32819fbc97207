import { act, renderHook } from '@testing-library/react';
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { eventIds, joinTopic, leaveAllTopics, POLL_MS, useConnection, usePolling } from './realtime';

type Status = 'SUBSCRIBED' | 'CHANNEL_ERROR' | 'TIMED_OUT' | 'CLOSED';

class FakeChannel {
  status: (status: Status) => void = () => {};
  broadcast: (message: unknown) => void = () => {};
  on(kind: string, _filter: unknown, callback: (message: unknown) => void) {
    if (kind === 'broadcast') this.broadcast = callback;
    return this;
  }
  subscribe(callback: (status: Status) => void) {
    this.status = callback;
    return this;
  }
}

const channels: { name: string; options: unknown; channel: FakeChannel }[] = [];
const removeChannel = vi.fn();
vi.mock('./supabase', () => ({
  backend: () => ({
    channel: (name: string, options: unknown) => {
      const channel = new FakeChannel();
      channels.push({ name, options, channel });
      return channel;
    },
    removeChannel,
    removeAllChannels: vi.fn(),
  }),
}));

const newest = () => channels.at(-1)?.channel ?? new FakeChannel();

describe('joinTopic', () => {
  beforeEach(() => {
    vi.useFakeTimers();
    channels.length = 0;
    removeChannel.mockReset();
  });
  afterEach(() => {
    leaveAllTopics();
    vi.useRealTimers();
  });

  it('joins privately and hands events on', () => {
    const onEvent = vi.fn();
    joinTopic('org:1', { onEvent });
    expect(channels[0]).toMatchObject({ name: 'org:1', options: { config: { private: true } } });
    newest().broadcast({ event: 'inbox', payload: { conversation_ids: ['c'] } });
    expect(onEvent).toHaveBeenCalledWith('inbox', { conversation_ids: ['c'] });
  });

  it('asks for a refetch after every subscription', () => {
    const onJoined = vi.fn();
    joinTopic('org:1', { onJoined });
    newest().status('SUBSCRIBED');
    newest().status('CHANNEL_ERROR');
    newest().status('SUBSCRIBED');
    expect(onJoined).toHaveBeenCalledTimes(2);
  });

  it('shares one channel and leaves it late', () => {
    const leaveFirst = joinTopic('org:1', {});
    const leaveSecond = joinTopic('org:1', {});
    expect(channels).toHaveLength(1);
    leaveFirst();
    vi.advanceTimersByTime(10_000);
    expect(removeChannel).not.toHaveBeenCalled();
    leaveSecond();
    joinTopic('org:1', {});
    vi.advanceTimersByTime(10_000);
    expect(channels).toHaveLength(1);
    expect(removeChannel).not.toHaveBeenCalled();
  });

  it('opens a channel again that the server closed', () => {
    joinTopic('org:1', {});
    newest().status('SUBSCRIBED');
    newest().status('CLOSED');
    vi.advanceTimersByTime(3_000);
    expect(channels).toHaveLength(2);
  });

  it('polls while a topic is down, and only then', () => {
    const connection = renderHook(() => ({ health: useConnection(), polling: usePolling() }));
    expect(connection.result.current).toEqual({ health: 'live', polling: false });
    act(() => void joinTopic('org:1', {}));
    expect(connection.result.current).toEqual({ health: 'joining', polling: false });
    act(() => newest().status('SUBSCRIBED'));
    expect(connection.result.current).toEqual({ health: 'live', polling: false });
    act(() => newest().status('CHANNEL_ERROR'));
    expect(connection.result.current).toEqual({ health: 'down', polling: POLL_MS });
    act(() => newest().status('SUBSCRIBED'));
    expect(connection.result.current).toEqual({ health: 'live', polling: false });
  });

  it('calls a join that takes too long what it is', () => {
    const { result } = renderHook(() => useConnection());
    act(() => void joinTopic('org:1', {}));
    act(() => void vi.advanceTimersByTime(4_000));
    expect(result.current).toBe('down');
  });
});

it('reads ids of an event, or that there were too many', () => {
  expect(eventIds({ message_ids: ['a', 1, 'b'] }, 'message_ids')).toEqual(['a', 'b']);
  expect(eventIds({ all: true }, 'message_ids')).toBe('all');
});
