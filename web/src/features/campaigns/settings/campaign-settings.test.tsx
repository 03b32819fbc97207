import { screen, waitFor } from '@testing-library/react';
import userEvent from '@testing-library/user-event';
import { beforeEach, expect, it, vi } from 'vitest';
import { draw } from '@/test/render';
import { CampaignSettings } from './campaign-settings';

const rpc = vi.fn();
const saved = {
  marketing_cap: { messages: 2, days: 7 },
  message_prices: {
    currency: 'USD',
    default: { marketing: 0.1, utility: 0.02, authentication: 0.01 },
    countries: { MY: { marketing: 0.3, utility: 0.05, authentication: 0.04 } },
  },
};
vi.mock('@/lib/supabase', async (original) => {
  const rows = { select: () => rows, eq: () => rows, limit: async () => ({ data: [saved], error: null }) };
  return { ...(await original<object>()), backend: () => ({ rpc, from: () => rows }) };
});
vi.mock('@/features/tenancy/queries', () => ({ useOrg: () => ({ orgId: 'o', can: () => true }) }));

beforeEach(() => {
  rpc.mockReset();
  rpc.mockResolvedValue({ data: null, error: null });
});

const save = () => userEvent.click(screen.getByRole('button', { name: 'Save changes' }));

it.each([
  ['Messages', 'Write 1 to 100.'],
  ['in this many days', 'Write 1 to 90.'],
  ['Marketing, Everywhere else', 'Write a price.'],
])('without %s nothing is saved, and the field says why', async (label, words) => {
  draw(<CampaignSettings />);
  const field = await screen.findByLabelText(label);
  await userEvent.clear(field);
  expect(field).toHaveAccessibleDescription(words);
  await save();
  expect(field).toHaveFocus();
  expect(rpc).not.toHaveBeenCalled();
  await userEvent.type(field, '5');
  await save();
  await waitFor(() => expect(rpc).toHaveBeenCalledOnce());
});

it('a country’s price that is emptied is not given any more: the one of everywhere else holds', async () => {
  draw(<CampaignSettings />);
  const field = await screen.findByLabelText('Marketing, Malaysia');
  await userEvent.clear(field);
  expect(field).toBeValid();
  expect(field).toHaveAttribute('placeholder', '0.1');
  await save();
  await waitFor(() =>
    expect(rpc).toHaveBeenCalledWith('set_campaign_settings', {
      p_org_id: 'o',
      p_fields: {
        ...saved,
        message_prices: {
          ...saved.message_prices,
          countries: { MY: { utility: 0.05, authentication: 0.04 } },
        },
      },
    }),
  );
});
