import { QueryClient, QueryClientProvider } from '@tanstack/react-query';
import { act, renderHook, waitFor } from '@testing-library/react';
import type { ReactNode } from 'react';
import { beforeEach, describe, expect, it, vi } from 'vitest';
import { type Template, templateSchema } from '../model';
import { draftKey, readDraft, writeDraft } from './drafts';
import { saveWords } from './save-state';
import { useTemplateDraft } from './use-template-draft';
import { emptyValues, valuesOf } from './values';

const rpc = vi.fn();
vi.mock('@/lib/supabase', async (original) => ({
  ...(await original<object>()),
  backend: () => ({ rpc }),
}));

const row = (more: Partial<Template> = {}): Template =>
  templateSchema.parse({
    id: 't1',
    org_id: 'o',
    waba_id: '1',
    name: 'sale',
    language: 'en_US',
    category: 'marketing',
    parameter_format: 'named',
    components: [{ type: 'BODY', text: 'Hello' }],
    status: 'draft',
    created_at: '2026-11-23T10:00:00Z',
    updated_at: '2026-11-23T10:00:00Z',
    ...more,
  });

/** As the database would answer: the fields given, under a later time. */
const saves =
  (at: string) =>
  (_: string, { p_fields }: { p_fields: Partial<Template> }) =>
    Promise.resolve({ data: row({ ...p_fields, updated_at: at }), error: null });
const stale = (theirs: Template) => () =>
  Promise.resolve({
    data: null,
    error: { code: 'TEMPLATE_010', message: 'x', details: JSON.stringify({ template: theirs }) },
  });

function use(template?: Template) {
  const wrapper = ({ children }: { children: ReactNode }) => (
    <QueryClientProvider client={new QueryClient()}>{children}</QueryClientProvider>
  );
  const onCreated = vi.fn();
  const start = template ? valuesOf(template) : emptyValues();
  const view = renderHook(() => useTemplateDraft({ orgId: 'o', userId: 'me', template, start, onCreated }), {
    wrapper,
  });
  return { ...view, onCreated };
}

const SAVES = { timeout: 4_000 };

describe('useTemplateDraft', () => {
  beforeEach(() => {
    localStorage.clear();
    rpc.mockReset();
  });

  it('a page left while it saved goes on from its own version', async () => {
    const first = row();
    rpc.mockImplementationOnce(() => new Promise(() => {}));
    const left = use(first);
    act(() => left.result.current.change({ body: 'Saved on leaving' }));
    await waitFor(() => expect(rpc).toHaveBeenCalledOnce(), SAVES);
    act(() => left.result.current.change({ body: 'Typed meanwhile' }));
    rpc.mockReset();
    const own = row({
      updated_at: '2026-11-23T10:00:01Z',
      components: [{ type: 'BODY', text: 'Saved on leaving' }],
    });
    rpc.mockImplementationOnce(stale(own)).mockImplementation(saves('2026-11-23T10:00:02Z'));
    const { result } = use(own);
    expect(result.current.values.body).toBe('Typed meanwhile');
    await act(() => result.current.flush());
    expect(result.current.other).toBeUndefined();
    expect(rpc.mock.lastCall?.[1]).toMatchObject({ p_expected_updated_at: '2026-11-23T10:00:01Z' });
    expect(result.current.isDirty).toBe(false);
  });

  it('keeps what has no name on the device, and saves it once it has one', async () => {
    rpc.mockImplementation(saves('2026-11-23T10:00:01Z'));
    const { result, onCreated } = use();
    act(() => result.current.change({ body: 'Hello' }));
    expect(readDraft(draftKey('me', 'new'))?.values.body).toBe('Hello');
    expect(saveWords(result.current, Date.now())).toContain('Give it a name');
    act(() => result.current.change({ name: 'sale' }));
    await waitFor(() => expect(onCreated).toHaveBeenCalledOnce(), SAVES);
    expect(rpc).toHaveBeenCalledExactlyOnceWith(
      'create_template',
      expect.objectContaining({ p_org_id: 'o' }),
    );
    // The page is told first and drawn after.
    await waitFor(() => expect(saveWords(result.current, Date.now())).toMatch(/^Saved \d+ s ago$/));
    expect(readDraft(draftKey('me', 'new'))).toBeUndefined();
    expect(readDraft(draftKey('me', 't1'))).toBeUndefined();
  });

  it('saves the last words of who leaves at once', async () => {
    rpc.mockImplementation(saves('2026-11-23T10:00:01Z'));
    const { result, unmount } = use(row());
    act(() => result.current.change({ body: 'Bye' }));
    unmount();
    await waitFor(() => expect(rpc).toHaveBeenCalledOnce());
    expect(rpc.mock.calls[0]?.[1]).toMatchObject({
      p_fields: { components: [{ type: 'BODY', text: 'Bye' }] },
    });
    await waitFor(() => expect(readDraft(draftKey('me', 't1'))).toBeUndefined());
  });

  it('goes on when only the time of the other version differs', async () => {
    rpc
      .mockImplementationOnce(stale(row({ updated_at: '2026-11-23T10:05:00Z', quality: 'GREEN' })))
      .mockImplementationOnce(saves('2026-11-23T10:06:00Z'));
    const { result } = use(row());
    act(() => result.current.change({ body: 'Mine' }));
    await act(() => result.current.flush());
    expect(result.current.other).toBeUndefined();
    expect(rpc.mock.calls[1]?.[1]).toMatchObject({ p_expected_updated_at: '2026-11-23T10:05:00Z' });
  });

  it('brings a change back that Meta did not take, and forgets one that it took', async () => {
    const approved = (more: Partial<Template> = {}) =>
      row({ status: 'approved', wa_template_id: '7', ...more });
    rpc.mockImplementationOnce(saves('2026-11-23T10:00:01Z'));
    const first = use(approved());
    act(() => first.result.current.change({ body: 'Changed' }));
    await act(() => first.result.current.flush());
    act(() => first.result.current.finish());
    first.unmount();

    const refused = approved({ problem: 'Too long', updated_at: '2026-11-23T10:05:00Z' });
    const { result, unmount } = use(refused);
    expect(result.current).toMatchObject({ isRefused: true, isDirty: true });
    expect(result.current.values.body).toBe('Changed');
    // What stands at Meta is what the change was made on: nobody else was in between.
    rpc.mockImplementationOnce(stale(refused)).mockImplementationOnce(saves('2026-11-23T10:06:00Z'));
    await act(() => result.current.flush());
    expect(result.current.other).toBeUndefined();
    act(() => result.current.finish());
    unmount();

    const later = use(approved({ updated_at: '2026-11-24T10:00:00Z' }));
    expect(later.result.current.values.body).toBe('Hello');
    expect(later.result.current.isRestored).toBe(false);
  });

  it('shows another version, and saves over it only when told to', async () => {
    const theirs = row({
      components: [{ type: 'BODY', text: 'Theirs' }],
      updated_at: '2026-11-23T10:05:00Z',
    });
    rpc.mockImplementationOnce(stale(theirs)).mockImplementationOnce(saves('2026-11-23T10:06:00Z'));
    const { result } = use(row());
    act(() => result.current.change({ body: 'Mine' }));
    await act(() => result.current.flush().catch(() => {}));
    expect(result.current.other?.components).toEqual(theirs.components);
    expect(result.current.values.body).toBe('Mine');
    act(() => result.current.keepMine());
    await waitFor(() => expect(rpc).toHaveBeenCalledTimes(2), SAVES);
    expect(rpc.mock.calls[1]?.[1]).toMatchObject({ p_expected_updated_at: '2026-11-23T10:05:00Z' });
  });

  it('never sends half a change of what is in use', async () => {
    const { result, unmount } = use(row({ status: 'approved', wa_template_id: '9' }));
    act(() => result.current.change({ body: 'Half' }));
    expect(saveWords(result.current, Date.now())).toContain('Kept on this device until you send it');
    unmount();
    expect(rpc).not.toHaveBeenCalled();
    expect(readDraft(draftKey('me', 't1'))?.values.body).toBe('Half');
    expect(use(row({ status: 'approved', wa_template_id: '9' })).result.current).toMatchObject({
      isRestored: true,
      values: { body: 'Half' },
    });
  });

  it('what was left behind on an older version never goes over theirs unasked', async () => {
    const theirs = row({
      components: [{ type: 'BODY', text: 'Theirs' }],
      updated_at: '2026-11-23T10:05:00Z',
    });
    writeDraft(draftKey('me', 't1'), {
      values: { ...valuesOf(row()), body: 'Mine' },
      base: row().updated_at,
    });
    rpc.mockImplementation(stale(theirs));
    const { result } = use(theirs);
    await act(() => result.current.flush().catch(() => {}));
    expect(rpc).toHaveBeenCalledOnce();
    expect(rpc.mock.calls[0]?.[1]).toMatchObject({ p_expected_updated_at: '2026-11-23T10:00:00Z' });
    expect(result.current.other?.components).toEqual(theirs.components);
    expect(result.current.values.body).toBe('Mine');
  });

  it('the version it was left behind on is kept with it', async () => {
    // One in use, as nothing saves that by itself.
    const inUse = { status: 'approved', wa_template_id: '9' } as const;
    const first = use(row(inUse));
    act(() => first.result.current.change({ body: 'Mine' }));
    first.unmount();
    const theirs = row({
      ...inUse,
      components: [{ type: 'BODY', text: 'Theirs' }],
      updated_at: '2026-11-23T10:05:00Z',
    });
    rpc.mockImplementation(stale(theirs));
    const again = use(theirs);
    await act(() => again.result.current.flush().catch(() => {}));
    expect(again.result.current.other).toBeDefined();
    again.unmount();

    const moved = row({ ...inUse, updated_at: '2026-11-23T10:06:00Z', quality: 'GREEN' });
    rpc.mockReset();
    rpc.mockImplementationOnce(stale(moved)).mockImplementationOnce(saves('2026-11-23T10:07:00Z'));
    const last = use(moved);
    await act(() => last.result.current.flush());
    expect(last.result.current.other).toBeUndefined();
    expect(rpc.mock.calls[1]?.[1]).toMatchObject({
      p_fields: { components: [{ type: 'BODY', text: 'Mine' }] },
      p_expected_updated_at: '2026-11-23T10:06:00Z',
    });
  });
});
