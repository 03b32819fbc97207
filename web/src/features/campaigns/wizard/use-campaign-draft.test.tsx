import { QueryClient, QueryClientProvider } from '@tanstack/react-query';
import { act, renderHook, waitFor } from '@testing-library/react';
import type { ReactNode } from 'react';
import { beforeEach, expect, it, vi } from 'vitest';
import { readStored, store } from '@/lib/storage';
import { draftPrefix } from '../local';
import { detailSchema } from '../model';
import { emptyVariant } from './draft';
import { useCampaignDraft } from './use-campaign-draft';

const { updateCampaign, campaignDetail } = vi.hoisted(() => ({
  updateCampaign: vi.fn(),
  campaignDetail: vi.fn(),
}));
vi.mock('../queries', () => ({
  updateCampaign,
  campaignKey: (...parts: unknown[]) => parts,
  readDetail: campaignDetail,
}));
vi.mock('@/features/auth/session', () => ({ useUser: () => ({ id: 'u' }) }));

const detail = detailSchema.parse({
  campaign: {
    id: 'c',
    org_id: 'o',
    name: 'Diwali',
    status: 'draft',
    created_at: '2026-11-23T09:00:00Z',
    updated_at: 'v1',
  },
});

const at = (updated_at: string, fields: object) => ({
  ...detail,
  campaign: { ...detail.campaign, updated_at, ...fields },
});

const key = `${draftPrefix('u')}unsaved:c`;

const begin = (start = detail) => {
  const wrapper = ({ children }: { children: ReactNode }) => (
    <QueryClientProvider client={new QueryClient()}>{children}</QueryClientProvider>
  );
  return renderHook(() => useCampaignDraft(start), { wrapper });
};

let versions = 1;
beforeEach(() => {
  localStorage.clear();
  versions = 1;
  updateCampaign.mockReset();
  campaignDetail.mockReset();
  updateCampaign.mockImplementation(async () => {
    versions += 1;
    return { updated_at: `v${versions}` };
  });
});

it('saves what changed after a pause, and then expects its own version', async () => {
  const { result } = begin();
  act(() => result.current.set({ name: 'Deepavali' }));
  expect(readStored(key)).toEqual({ base: 'v1', changes: { name: 'Deepavali' }, was: { name: 'Diwali' } });
  await waitFor(() => expect(result.current.state).toBe('saved'), { timeout: 3_000 });
  expect(updateCampaign).toHaveBeenCalledWith('c', { name: 'Deepavali' }, 'v1');
  expect(readStored(key)).toBeUndefined();
  act(() => result.current.set({ holdout_percent: 10 }));
  await act(() => result.current.flush());
  expect(updateCampaign).toHaveBeenLastCalledWith('c', { holdout_percent: 10 }, 'v2');
  expect(result.current.version).toBe('v3');
});

it('one save at a time: what is typed meanwhile follows', async () => {
  let answer: (row: object) => void = () => {};
  updateCampaign.mockImplementationOnce(() => new Promise((resolve) => (answer = resolve)));
  const { result } = begin();
  act(() => result.current.set({ name: 'One' }));
  let done: Promise<boolean> | undefined;
  act(() => {
    done = result.current.flush();
    result.current.set({ name: 'Two' });
    void result.current.flush();
  });
  expect(updateCampaign).toHaveBeenCalledTimes(1);
  await act(async () => {
    answer({ updated_at: 'v2' });
    await done;
  });
  expect(updateCampaign.mock.calls).toEqual([
    ['c', { name: 'One' }, 'v1'],
    ['c', { name: 'Two' }, 'v2'],
  ]);
});

it('keeps on this device what could not be saved, and brings it back', async () => {
  updateCampaign.mockRejectedValue({ code: 'PGRST001', message: '' });
  const first = begin();
  act(() => first.result.current.set({ description: 'For regulars' }));
  await act(() => first.result.current.flush());
  expect(first.result.current.state).toBe('failed');
  first.unmount();
  const again = begin();
  expect(again.result.current.isRestored).toBe(true);
  expect(again.result.current.values.description).toBe('For regulars');
});

const stale = {
  code: 'CAMPAIGN_007',
  message: '',
  details: JSON.stringify({ campaign: { updated_at: 'v2' } }),
};

it('stops at somebody else’s version until a person decides', async () => {
  updateCampaign.mockRejectedValueOnce(stale);
  campaignDetail.mockResolvedValue(at('v2', { name: 'Theirs' }));
  const { result } = begin();
  act(() => result.current.set({ name: 'Mine' }));
  await act(() => result.current.flush());
  expect(result.current.state).toBe('clash');
  act(() => result.current.set({ name: 'Mine still' }));
  expect(await result.current.flush()).toBe(false);
  expect(updateCampaign).toHaveBeenCalledTimes(1);
  act(() => result.current.keepMine());
  await waitFor(() => expect(result.current.state).toBe('saved'));
  expect(updateCampaign).toHaveBeenLastCalledWith('c', { name: 'Mine still' }, 'v2');
});

it('what was left behind on an older version waits for a person too, and takes only its own fields over theirs', async () => {
  const kept = { base: 'v1', changes: { name: 'Mine' }, was: { name: 'Diwali' } };
  store(key, kept);
  const { result } = begin(at('v4', { name: 'Their name', description: 'Theirs' }));
  expect(result.current.state).toBe('clash');
  expect(result.current.values.name).toBe('Mine');
  expect(await result.current.flush()).toBe(false);
  expect(updateCampaign).not.toHaveBeenCalled();
  expect(readStored(key)).toEqual(kept);
  act(() => result.current.keepMine());
  await waitFor(() => expect(result.current.state).toBe('saved'));
  expect(updateCampaign.mock.calls).toEqual([['c', { name: 'Mine' }, 'v4']]);
  expect(result.current.values.description).toBe('Theirs');
});

it('what the newer version says already is no clash', () => {
  store(key, { base: 'v1', changes: { name: 'Mine' }, was: { name: 'Diwali' } });
  expect(begin(at('v4', { name: 'Mine' })).result.current).toMatchObject({
    state: 'saved',
    isRestored: false,
    version: 'v4',
  });
});

it('a page left while it saved goes on from its own version', async () => {
  const changes = { name: 'Saved on leaving', description: 'Typed meanwhile' };
  store(key, { base: 'v1', changes, was: { name: 'Diwali', description: null } });
  const { result } = begin(at('v2', { name: 'Saved on leaving' }));
  expect(result.current).toMatchObject({ state: 'waiting', isRestored: true, version: 'v2' });
  expect(await act(() => result.current.flush())).toBe(true);
  expect(updateCampaign.mock.calls).toEqual([['c', { description: 'Typed meanwhile' }, 'v2']]);
});

it('knows its own save as the database writes it', () => {
  const [was, mine] = [emptyVariant, { ...emptyVariant, template_id: 't' }];
  store(key, {
    base: 'v1',
    changes: { name: 'Mine ', scheduled_at: '2026-11-24T01:00:00.000Z', variants: [mine] },
    was: { name: 'Diwali', scheduled_at: null, variants: [was] },
  });
  const own = detailSchema.parse({
    campaign: {
      ...detail.campaign,
      updated_at: 'v2',
      name: 'Mine',
      scheduled_at: '2026-11-24T01:00:00+00:00',
    },
    variants: [{ position: 1, template_id: 't', links: { 0: 'https://example.com' } }],
  });
  expect(begin(own).result.current).toMatchObject({ state: 'waiting', version: 'v2' });
});

it('a save whose answer was lost is known again, though the same field was typed on in', async () => {
  updateCampaign.mockReturnValueOnce(new Promise(() => {}));
  const left = begin();
  act(() => left.result.current.set({ name: 'Dee' }));
  act(() => void left.result.current.flush());
  act(() => left.result.current.set({ name: 'Deepa' }));
  left.unmount();
  const { result } = begin(at('v2', { name: 'Dee' }));
  expect(result.current).toMatchObject({ state: 'waiting', version: 'v2' });
  expect(result.current.values.name).toBe('Deepa');
});

it('what stands against another version stands against it after more was typed, too', () => {
  store(key, { base: 'v1', changes: { name: 'Mine' }, was: { name: 'Diwali' } });
  const theirs = at('v4', { name: 'Theirs' });
  const first = begin(theirs);
  act(() => first.result.current.set({ name: 'Mine still' }));
  first.unmount();
  const { result } = begin(theirs);
  expect(result.current.state).toBe('clash');
  expect(result.current.values.name).toBe('Mine still');
});

it('what the database has by now is kept here no more', () => {
  store(key, { base: 'v1', changes: { name: 'Mine' }, was: { name: 'Diwali' } });
  begin(at('v4', { name: 'Mine' }));
  expect(readStored(key)).toBeUndefined();
});

it('its own save that arrives late is met and gone on from, too', async () => {
  store(key, { base: 'v1', changes: { name: 'Late' }, was: { name: 'Diwali' } });
  updateCampaign.mockRejectedValueOnce(stale);
  campaignDetail.mockResolvedValue(at('v2', { name: 'Late' }));
  const { result } = begin();
  expect(await act(() => result.current.flush())).toBe(true);
  expect(result.current).toMatchObject({ state: 'saved', version: 'v2' });
  expect(updateCampaign).toHaveBeenCalledTimes(1);
});

it('two people in two fields do not stop each other', async () => {
  updateCampaign.mockRejectedValueOnce(stale);
  campaignDetail.mockResolvedValue(at('v2', { description: 'Theirs' }));
  const { result } = begin();
  act(() => result.current.set({ name: 'Mine' }));
  expect(await act(() => result.current.flush())).toBe(true);
  expect(updateCampaign).toHaveBeenLastCalledWith('c', { name: 'Mine' }, 'v2');
  expect(result.current.values).toMatchObject({ name: 'Mine', description: 'Theirs' });
});

it('what cannot be compared is a clash, not a loop', async () => {
  updateCampaign.mockRejectedValue(stale);
  campaignDetail.mockResolvedValueOnce(detail).mockRejectedValueOnce(new TypeError('offline'));
  for (const _ of [1, 2]) {
    const { result, unmount } = begin();
    act(() => result.current.set({ name: 'Mine' }));
    await act(() => result.current.flush());
    expect(result.current.state).toBe('clash');
    unmount();
  }
  expect(updateCampaign).toHaveBeenCalledTimes(2);
});

it('a half-typed link is neither saved nor lost', async () => {
  const links = (link: string) => [{ ...emptyVariant, links: { 0: link } }];
  const first = begin();
  act(() => first.result.current.set({ variants: links('https:') }));
  expect(await act(() => first.result.current.flush())).toBe(true);
  expect(updateCampaign).not.toHaveBeenCalled();
  first.unmount();
  const { result } = begin();
  expect(result.current.values.variants).toEqual(links('https:'));
  act(() => result.current.set({ variants: links('https://example.com') }));
  await act(() => result.current.flush());
  expect(updateCampaign).toHaveBeenCalledExactlyOnceWith(
    'c',
    { variants: links('https://example.com') },
    'v1',
  );
});
