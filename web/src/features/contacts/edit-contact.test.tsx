import { QueryClient, QueryClientProvider } from '@tanstack/react-query';
import { act, renderHook, waitFor } from '@testing-library/react';
import type { ReactNode } from 'react';
import { beforeEach, describe, expect, it, vi } from 'vitest';
import {
  clashes,
  type Edit,
  fieldsOf,
  readPath,
  sameValue,
  sendEdit,
  useEditContact,
  writePath,
} from './edit-contact';
import type { Contact } from './model';
import { contactKey } from './queries';

const call = vi.hoisted(() => vi.fn());
vi.mock('./api', () => ({ call, table: vi.fn() }));
vi.mock('@/features/tenancy/queries', () => ({ useOrg: () => ({ orgId: 'org' }) }));

const contact = {
  id: 'c',
  company: 'Old',
  email: 'a@example.com',
  custom_fields: { plan: 'Gold' },
  updated_at: 'v1',
  tags: [],
} as unknown as Contact;

const edit = (more: Partial<Edit> = {}): Edit => ({
  path: 'company',
  label: 'Company',
  value: 'Mine',
  base: 'Old',
  expected: 'v1',
  ...more,
});

const stale = (theirs: object) => ({
  code: 'CONTACT_006',
  details: JSON.stringify({ contact: { updated_at: 'v2', custom_fields: {}, ...theirs } }),
});

describe('paths', () => {
  it('reach columns and own fields alike', () => {
    expect(readPath(contact, 'custom_fields.plan')).toBe('Gold');
    expect(readPath(contact, 'custom_fields.none')).toBeNull();
    expect(writePath(contact, 'custom_fields.size', 3).custom_fields).toEqual({ plan: 'Gold', size: 3 });
    expect(fieldsOf({ path: 'custom_fields.plan', value: null })).toEqual({ custom_fields: { plan: null } });
    expect(fieldsOf({ path: 'company', value: 'X' })).toEqual({ company: 'X' });
  });

  it.each([
    [null, '', true],
    [null, undefined, true],
    [['b', 'a'], ['a', 'b'], true],
    [{ city: 'KL', zip: null }, { city: 'KL' }, true],
    [{ city: 'KL' }, { city: 'JB' }, false],
    [0, null, false],
    [false, null, false],
  ])('%j and %j are the same: %s', (a, b, same) => expect(sameValue(a, b)).toBe(same));
});

describe('an edit somebody overtook', () => {
  it('is sent again by itself when they changed something else', async () => {
    const update = vi
      .fn()
      .mockRejectedValueOnce(stale({ company: 'Old', email: 'new@example.com' }))
      .mockResolvedValueOnce({ ...contact, company: 'Mine' });
    await sendEdit(edit(), update);
    expect(update.mock.calls.map(([, expected]) => expected)).toEqual(['v1', 'v2']);
  });

  it('stops at the same field', async () => {
    const update = vi.fn().mockRejectedValue(stale({ company: 'Theirs' }));
    await expect(sendEdit(edit(), update)).rejects.toMatchObject({ code: 'CONTACT_006' });
    expect(update).toHaveBeenCalledTimes(1);
  });

  it('does not clash when both wrote the same', () => {
    expect(clashes(edit(), { company: 'Mine' })).toBe(false);
    expect(clashes(edit(), { company: 'Theirs' })).toBe(true);
  });

  it('gives up on somebody who never stops', async () => {
    const update = vi.fn().mockRejectedValue(stale({ company: 'Old' }));
    await expect(sendEdit(edit(), update)).rejects.toMatchObject({ code: 'CONTACT_006' });
    expect(update).toHaveBeenCalledTimes(4);
  });
});

describe('on the page', () => {
  const queryClient = new QueryClient();
  const shown = () => queryClient.getQueryData<Contact>(contactKey('org', 'c'));
  const wrapper = ({ children }: { children: ReactNode }) => (
    <QueryClientProvider client={queryClient}>{children}</QueryClientProvider>
  );
  beforeEach(() => {
    call.mockReset();
    queryClient.setQueryData(contactKey('org', 'c'), contact);
  });

  it('shows at once what is being saved, and the new version after', async () => {
    let settle: (row: object) => void = () => {};
    call.mockReturnValue(new Promise((resolve) => (settle = resolve)));
    const { result } = renderHook(() => useEditContact('c'), { wrapper });
    let saved: Promise<unknown> | undefined;
    act(() => {
      saved = result.current.save(edit());
    });
    await waitFor(() => expect(shown()?.company).toBe('Mine'));
    expect(shown()?.updated_at).toBe('v1');
    await act(async () => {
      settle({ ...contact, company: 'Mine', updated_at: 'v2' });
      await saved;
    });
    expect(shown()).toMatchObject({ company: 'Mine', updated_at: 'v2' });
  });

  it('takes back only the field that was refused', async () => {
    call.mockRejectedValue({ code: 'CONTACT_007', details: '{"field": "company"}' });
    const { result } = renderHook(() => useEditContact('c'), { wrapper });
    await act(async () => {
      const failed = result.current.save(edit()).catch((error: unknown) => error);
      queryClient.setQueryData<Contact>(
        contactKey('org', 'c'),
        (old) => old && { ...old, email: 'live@example.com' },
      );
      await failed;
    });
    expect(shown()).toMatchObject({ company: 'Old', email: 'live@example.com' });
    expect(result.current.clash).toBeUndefined();
  });

  it('puts both versions side by side, and sends mine over theirs when told to', async () => {
    call.mockRejectedValueOnce(stale({ company: 'Theirs' }));
    const { result } = renderHook(() => useEditContact('c'), { wrapper });
    await act(async () => {
      await result.current.save(edit()).catch(() => undefined);
    });
    expect(result.current.clash).toMatchObject({ theirs: 'Theirs', version: 'v2' });
    expect(shown()?.company).toBe('Theirs');

    call.mockResolvedValueOnce({ ...contact, company: 'Mine', updated_at: 'v3' });
    act(() => result.current.useMine());
    await waitFor(() => expect(result.current.clash).toBeUndefined());
    expect(call).toHaveBeenLastCalledWith('update_contact', {
      p_id: 'c',
      p_fields: { company: 'Mine' },
      p_expected_updated_at: 'v2',
    });
  });
});
