import { fireEvent, screen, waitFor } from '@testing-library/react';
import { beforeEach, expect, it, vi } from 'vitest';
import { draw } from '@/test/render';
import { templateSchema } from '../model';
import { SendTemplate } from './send-template';

const rpc = vi.hoisted(() => vi.fn());
const createSignedUrl = vi.hoisted(() => vi.fn());
vi.mock('@/lib/supabase', async (original) => ({
  ...(await original<object>()),
  backend: () => ({ rpc, storage: { from: () => ({ createSignedUrl }) } }),
}));
vi.mock('@/features/tenancy/queries', () => ({ useOrg: () => ({ orgId: 'o', can: () => true }) }));
vi.mock('../live', () => ({ useTemplatesLive: () => {} }));

const template = templateSchema.parse({
  id: 't1',
  org_id: 'o',
  waba_id: '1',
  name: 'sale',
  language: 'en_US',
  category: 'marketing',
  parameter_format: 'named',
  components: [
    { type: 'HEADER', format: 'IMAGE', media: { path: 'o/offer.jpg' } },
    { type: 'BODY', text: 'Hello' },
  ],
  status: 'approved',
  created_at: '2026-11-23T10:00:00Z',
  updated_at: '2026-11-23T10:00:00Z',
});

let total = 1;
const answers: Record<string, () => unknown> = {
  list_templates: () => ({ total, templates: [template] }),
  template_variables: () => [{ key: 'header.media', kind: 'image', example: null, label: 'Header' }],
  preview_template: () => ({ header: null, body: 'Hello', footer: null, buttons: [], cards: null }),
};

beforeEach(() => {
  total = 1;
  rpc.mockImplementation((name: string) => {
    const answer = Promise.resolve({ data: answers[name]?.() ?? null, error: null });
    return Object.assign(answer, { abortSignal: () => answer });
  });
  createSignedUrl.mockImplementation(async (path: string, seconds: number) => ({
    data: { signedUrl: `https://files.test/${path}?for=${seconds}` },
    error: null,
  }));
});

it('sends the template’s own file by a link that lasts', async () => {
  const onSend = vi.fn();
  draw(<SendTemplate to={{ name: 'Aina' }} wabaId="1" onSend={onSend} onClose={() => {}} />);
  fireEvent.click(await screen.findByRole('button', { name: /sale/ }));
  const send = await screen.findByRole('button', { name: 'Send template' });
  await waitFor(() => {
    fireEvent.click(send);
    expect(onSend).toHaveBeenCalled();
  });
  const link = JSON.stringify(onSend.mock.calls[0]?.[0].values);
  const seconds = Number(/o\/offer\.jpg\?for=(\d+)/.exec(link)?.[1]);
  expect(seconds).toBeGreaterThan(300 * 86_400);
});

it('when none of the first page is this number’s, it says to search', async () => {
  total = 60;
  draw(<SendTemplate to={{ name: null }} wabaId="2" onSend={() => {}} onClose={() => {}} />);
  expect(await screen.findByText('Search for it')).toBeInTheDocument();
});
