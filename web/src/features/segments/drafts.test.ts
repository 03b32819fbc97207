import { act, renderHook } from '@testing-library/react';
import { describe, expect, it } from 'vitest';
import { draftKey, readDraft, writeDraft } from './drafts';
import { everybody } from './model';
import { useSegmentDraft } from './use-segment-draft';

const key = draftKey('me', 'new:dynamic');
const start = { name: '', description: '', rules: everybody };
const open = (base: string | null = null) => renderHook(() => useSegmentDraft(key, start, base));

describe('drafts of segments', () => {
  it('come back after a reload, and are told apart from a fresh start', () => {
    const first = open();
    expect(first.result.current.isRestored).toBe(false);
    act(() => first.result.current.set({ name: 'Quiet regulars', rules: { any: [] } }));
    first.unmount();
    const { result } = open();
    expect(result.current.isRestored).toBe(true);
    expect(result.current.isDirty).toBe(true);
    expect(result.current.values).toEqual({ name: 'Quiet regulars', description: '', rules: { any: [] } });
  });

  it('remember the version they began from, so that a newer one is noticed', () => {
    const first = open('monday');
    act(() => first.result.current.set({ name: 'x' }));
    first.unmount();
    expect(open('tuesday').result.current.base).toBe('monday');
  });

  it('are gone when taken back, started over or saved', () => {
    const { result } = open();
    act(() => result.current.set({ name: 'x' }));
    expect(readDraft(key)?.name).toBe('x');
    act(() => result.current.set({ name: '' }));
    expect(readDraft(key)).toBeUndefined();
    act(() => result.current.set({ name: 'y' }));
    act(() => result.current.startOver());
    expect(readDraft(key)).toBeUndefined();
    expect(result.current.values).toEqual(start);
    act(() => result.current.set({ name: 'z' }));
    act(() => result.current.finish());
    act(() => result.current.set({ name: 'after' }));
    expect(readDraft(key)).toBeUndefined();
  });

  it('go along when the form becomes one of the other type', () => {
    const { result } = open();
    act(() => result.current.set({ name: 'x' }));
    const other = draftKey('me', 'new:static');
    act(() => result.current.moveTo(other));
    expect(readDraft(key)).toBeUndefined();
    expect(readDraft(other)?.name).toBe('x');
  });

  it('that cannot be read are none', () => {
    for (const broken of [3, null, { name: 'x' }, { name: 'x', rules: { all: 4 } }]) {
      localStorage.setItem(key, JSON.stringify(broken));
      expect(readDraft(key)).toBeUndefined();
    }
    localStorage.setItem(key, '{');
    expect(readDraft(key)).toBeUndefined();
    writeDraft(key, { ...start, base: null });
    expect(readDraft(key)).toEqual({ ...start, base: null });
  });
});
