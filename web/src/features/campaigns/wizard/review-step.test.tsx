import { fireEvent, screen, waitFor } from '@testing-library/react';
import { beforeEach, expect, it, vi } from 'vitest';
import { draw } from '@/test/render';
import { campaignSchema, rehearsalSchema } from '../model';
import { type DraftValues, emptyVariant, valuesOf } from './draft';
import { Outcome, Summary } from './review-step';
import type { CampaignDraft } from './use-campaign-draft';

const rpc = vi.fn();
const template = {
  id: 't',
  waba_id: '1',
  name: 'sale',
  language: 'en',
  category: 'marketing',
  status: 'approved',
  components: [{ type: 'BUTTONS', buttons: [{ text: 'Shop' }, { text: 'Map' }] }],
  links: { 0: 'https://example.com/shop', 1: 'https://example.com/map' },
};
vi.mock('@/lib/supabase', async (original) => {
  const rows = { select: () => rows, eq: () => rows, single: async () => ({ data: template, error: null }) };
  return { ...(await original<object>()), backend: () => ({ rpc, from: () => rows }) };
});
vi.mock('@/features/tenancy/queries', () => ({
  useOrg: () => ({ orgId: 'o', organization: { time_zone: 'Asia/Kolkata' } }),
}));
vi.mock('@tanstack/react-router', async (original) => ({
  ...(await original<object>()),
  useNavigate: () => async () => {},
}));

const OLD = '2026-11-23T10:00:00+00:00';
const NEW = '2026-11-23T10:00:00.5+00:00';

const campaign = (updated_at: string) =>
  campaignSchema.parse({
    id: 'c',
    org_id: 'o',
    name: 'Diwali',
    status: 'draft',
    created_at: OLD,
    updated_at,
  });

const outcome = (updated_at: string, change: Partial<DraftValues> = {}) => {
  const reload = vi.fn();
  const row = campaign(updated_at);
  const values = { ...valuesOf({ campaign: row, variants: [] }), ...change };
  const draft = { values, state: 'saved', version: OLD } as CampaignDraft;
  const rehearsal = rehearsalSchema.parse({ recipients: 3, held_out: 0, excluded: {}, messages: [] });
  const parts = { draft, rehearsal, isFresh: true, go: () => {}, reload };
  const view = draw(<Outcome {...parts} campaign={row} />);
  return {
    reload,
    moveTo: (at: string) => view.rerender(<Outcome {...parts} campaign={campaign(at)} />),
  };
};

const send = () => screen.getByRole('button', { name: 'Send to 3 contacts' });

beforeEach(() => {
  rpc.mockReset();
  rpc.mockResolvedValue({ data: null, error: null });
});

it('sends the version that was rehearsed', async () => {
  outcome(OLD);
  fireEvent.click(send());
  fireEvent.click(await screen.findByRole('button', { name: 'Send 3 now' }));
  await waitFor(() =>
    expect(rpc).toHaveBeenCalledWith('launch_campaign', { p_id: 'c', p_expected_updated_at: OLD }),
  );
});

it('somebody else’s newer version closes the dialog and is loaded before anything is sent', async () => {
  const { moveTo, reload } = outcome(OLD);
  fireEvent.click(send());
  await screen.findByRole('dialog');
  moveTo(NEW);
  await waitFor(() => expect(screen.queryByRole('dialog')).not.toBeInTheDocument());
  expect(screen.getByText('Somebody else changed this campaign. Load it again.')).toBeInTheDocument();
  expect(send()).toBeDisabled();
  fireEvent.click(screen.getByRole('button', { name: 'Load again' }));
  expect(reload).toHaveBeenCalledOnce();
});

it('a version only the database knew of says the same', async () => {
  rpc.mockImplementation(async (name: string) =>
    name === 'launch_campaign'
      ? { data: null, error: { code: 'CAMPAIGN_007', message: '' } }
      : { data: null, error: null },
  );
  outcome(OLD);
  fireEvent.click(send());
  fireEvent.click(await screen.findByRole('button', { name: 'Send 3 now' }));
  await screen.findByText('Somebody else changed this campaign. Load it again.');
  expect(screen.queryByRole('dialog')).not.toBeInTheDocument();
  expect(send()).toBeDisabled();
});

it('nothing is sent while a link is half typed', () => {
  outcome(OLD, { variants: [{ ...emptyVariant, template_id: 't', links: { 0: 'https:' } }] });
  expect(send()).toBeDisabled();
  expect(screen.getByRole('button', { name: 'Write every link in full.' })).toBeInTheDocument();
});

it('the summary says where the links lead, the template’s own where none is given', async () => {
  const row = campaign(OLD);
  const values = {
    ...valuesOf({ campaign: row, variants: [] }),
    variants: [{ ...emptyVariant, template_id: 't', links: { 0: 'https://example.com/diwali' } }],
  };
  draw(<Summary campaign={row} values={values} go={() => {}} />);
  expect(await screen.findByText('https://example.com/diwali')).toBeInTheDocument();
  expect(screen.getByText('Where “Shop” leads')).toBeInTheDocument();
  expect(screen.getByText('https://example.com/map')).toBeInTheDocument();
});
