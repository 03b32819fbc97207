import { screen } from '@testing-library/react';
import { beforeEach, expect, it, vi } from 'vitest';
import { draw } from '@/test/render';
import { TemplatePicker } from './template-picker';

const rpc = vi.hoisted(() => vi.fn());
vi.mock('@/lib/supabase', async (original) => ({
  ...(await original<object>()),
  backend: () => ({ rpc }),
}));
vi.mock('@/features/tenancy/queries', () => ({ useOrg: () => ({ orgId: 'o' }) }));

const template = (id: string, waba_id: string) => ({
  id,
  waba_id,
  name: `of ${waba_id}`,
  language: 'en',
  category: 'marketing',
  status: 'approved',
});

let total = 1;
beforeEach(() => {
  total = 1;
  rpc.mockImplementation((_: string, { p_waba_id }: { p_waba_id: string | null }) => {
    const templates = [template('a', p_waba_id ?? 'any')];
    const answer = Promise.resolve({ data: { total, templates }, error: null });
    return Object.assign(answer, { abortSignal: () => answer });
  });
});

it('asks for what a campaign may send, of the number’s account once one is chosen', async () => {
  const { unmount } = draw(<TemplatePicker wabaId={undefined} onPick={() => {}} />);
  expect(await screen.findByRole('button', { name: 'Use of any' })).toBeInTheDocument();
  unmount();
  draw(<TemplatePicker wabaId="1" onPick={() => {}} />);
  expect(await screen.findByRole('button', { name: 'Use of 1' })).toBeInTheDocument();
  expect(screen.getByText('1 template')).toBeInTheDocument();
  expect(rpc).toHaveBeenLastCalledWith(
    'list_templates',
    expect.objectContaining({ p_is_for_campaigns: true, p_waba_id: '1' }),
  );
});

it('says to search when there are more than are shown', async () => {
  total = 40;
  draw(<TemplatePicker wabaId="1" onPick={() => {}} />);
  expect(await screen.findByText(/^1 of 40 templates/)).toBeInTheDocument();
});
