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

let total = 2;
beforeEach(() => {
  total = 2;
  rpc.mockImplementation(() => {
    const templates = [template('a', '1'), template('b', '2')];
    const answer = Promise.resolve({ data: { total, templates }, error: null });
    return Object.assign(answer, { abortSignal: () => answer });
  });
});

it('leaves out what another WhatsApp account has, once a number is chosen', async () => {
  const { unmount } = draw(<TemplatePicker wabaId={undefined} onPick={() => {}} />);
  expect(await screen.findByRole('button', { name: 'Use of 2' })).toBeInTheDocument();
  unmount();
  draw(<TemplatePicker wabaId="1" onPick={() => {}} />);
  expect(await screen.findByRole('button', { name: 'Use of 1' })).toBeInTheDocument();
  expect(screen.queryByRole('button', { name: 'Use of 2' })).not.toBeInTheDocument();
});

it('says to search when there may be some among those not shown', async () => {
  total = 40;
  draw(<TemplatePicker wabaId="3" onPick={() => {}} />);
  expect(await screen.findByText('Search for it')).toBeInTheDocument();
});
