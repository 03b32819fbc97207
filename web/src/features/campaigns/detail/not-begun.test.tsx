import { screen } from '@testing-library/react';
import { expect, it, vi } from 'vitest';
import { draw } from '@/test/render';
import type { Campaign, CampaignStatus } from '../model';
import { NotBegun } from './not-begun';

vi.mock('@tanstack/react-router', async (original) => ({
  ...(await original<object>()),
  useNavigate: () => vi.fn(),
}));

const shown = (status: CampaignStatus) =>
  draw(<NotBegun campaign={{ id: 'c', org_id: 'o', status } as Campaign} mayManage />);

it.each(['failed', 'cancelled'] as const)('one that is %s is no draft to go on with', (status) => {
  shown(status);
  expect(screen.getByRole('button', { name: 'Duplicate it' })).toBeInTheDocument();
  expect(screen.queryByText(/draft/)).not.toBeInTheDocument();
});

it('a draft and a scheduled one are gone on with', () => {
  const { unmount } = shown('draft');
  expect(screen.getByRole('button', { name: 'Go on with it' })).toBeInTheDocument();
  unmount();
  shown('scheduled');
  expect(screen.getByRole('button', { name: 'See what will happen' })).toBeInTheDocument();
});
