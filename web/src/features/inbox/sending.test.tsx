import { QueryClient, QueryClientProvider } from '@tanstack/react-query';
import { act, renderHook, waitFor } from '@testing-library/react';
import type { ReactNode } from 'react';
import { beforeEach, describe, expect, it, vi } from 'vitest';
import { message } from '@/test/rows';
import { readUnsent, writeUnsent } from './outbox';
import { useSending } from './sending';

const rpc = vi.fn();
vi.mock('@/lib/supabase', async (original) => ({
  ...(await original<object>()),
  backend: () => ({ rpc }),
}));

const accepted = (clientKey: string) => ({
  data: message({ id: `row-${clientKey}`, client_key: clientKey, direction: 'outbound', status: 'pending' }),
  error: null,
});
const refused = (code: string, status = 409) => ({
  data: null,
  error: { code, status, message: 'x', details: null },
});

function use() {
  const client = new QueryClient();
  const wrapper = ({ children }: { children: ReactNode }) => (
    <QueryClientProvider client={client}>{children}</QueryClientProvider>
  );
  return renderHook(() => useSending('me', 'conversation-1'), { wrapper });
}

const keysSent = () => rpc.mock.calls.map(([, parameters]) => parameters.p_client_key);

describe('useSending', () => {
  beforeEach(() => {
    rpc.mockReset();
  });

  it('shows the message at once and lets go of it when the database has it', async () => {
    let answerNow = (_: unknown) => {};
    rpc.mockImplementation(() => new Promise((resolve) => (answerNow = resolve)));
    const { result } = use();
    act(() => result.current.send({ kind: 'text', body: 'Hi' }));
    expect(result.current.unsent).toMatchObject([{ body: 'Hi', state: 'sending' }]);
    expect(readUnsent('me', 'conversation-1')).toHaveLength(1);
    await act(async () => answerNow(accepted(keysSent()[0])));
    expect(result.current.unsent).toEqual([]);
    expect(readUnsent('me', 'conversation-1')).toEqual([]);
  });

  it('keeps a refused message with the reason, and sends it again under the same key', async () => {
    rpc.mockResolvedValueOnce(refused('WA_006'));
    const { result } = use();
    act(() => result.current.send({ kind: 'text', body: 'Hi' }));
    await waitFor(() =>
      expect(result.current.unsent).toMatchObject([{ state: 'failed', errorCode: 'WA_006' }]),
    );
    const [key] = keysSent();
    rpc.mockResolvedValueOnce(accepted(key));
    await act(async () => result.current.retry(key));
    expect(keysSent()).toEqual([key, key]);
    expect(result.current.unsent).toEqual([]);
  });

  it('repeats by itself when the network fails, under the same key', async () => {
    vi.useFakeTimers();
    rpc.mockResolvedValueOnce({
      data: null,
      error: { code: '', message: 'TypeError: Failed to fetch', details: '' },
    });
    rpc.mockImplementationOnce((_, parameters) => Promise.resolve(accepted(parameters.p_client_key)));
    const { result } = use();
    act(() => result.current.send({ kind: 'text', body: 'Hi' }));
    await act(() => vi.advanceTimersByTimeAsync(2_000));
    const keys = keysSent();
    expect(keys).toHaveLength(2);
    expect(keys[0]).toBe(keys[1]);
    expect(result.current.unsent).toEqual([]);
    vi.useRealTimers();
  });

  it('goes on after a reload with what was under way, not with what had failed', async () => {
    const createdAt = '2026-11-23T10:00:00Z';
    writeUnsent('me', 'conversation-1', [
      { clientKey: 'key-going', kind: 'text', body: 'going', createdAt, state: 'sending' },
      {
        clientKey: 'key-failed',
        kind: 'text',
        body: 'failed',
        createdAt,
        state: 'failed',
        errorCode: 'WA_005',
      },
    ]);
    rpc.mockImplementation((_, parameters) => Promise.resolve(accepted(parameters.p_client_key)));
    const { result } = use();
    await waitFor(() => expect(result.current.unsent).toMatchObject([{ clientKey: 'key-failed' }]));
    expect(keysSent()).toEqual(['key-going']);
  });

  it('sends notes to the team only', async () => {
    rpc.mockImplementation((_, parameters) => Promise.resolve(accepted(parameters.p_client_key)));
    const { result } = use();
    await act(async () => result.current.send({ kind: 'note', body: 'VIP' }));
    expect(rpc).toHaveBeenCalledExactlyOnceWith('add_note', expect.objectContaining({ p_body: 'VIP' }));
  });
});
