import { screen } from '@testing-library/react';
import { expect, it, vi } from 'vitest';
import { draw } from '@/test/render';
import { CampaignsTable } from './campaigns-table';
import { listRowSchema } from './model';

vi.mock('@/features/tenancy/queries', () => ({
  useOrg: () => ({ orgId: 'o', organization: { time_zone: 'Asia/Kolkata' }, can: () => true }),
}));
vi.mock('@tanstack/react-router', async (original) => ({
  ...(await original<object>()),
  useNavigate: () => vi.fn(),
  Link: ({ children }: { children: string }) => <span>{children}</span>,
}));

const scheduled = (name: string, time_zone: string | null) =>
  listRowSchema.parse({
    id: name,
    org_id: 'o',
    name,
    status: 'scheduled',
    scheduled_at: '2031-01-05T03:30:00Z',
    time_zone,
    created_at: '2026-11-23T09:00:00Z',
    updated_at: '2026-11-23T09:00:00Z',
  });

it('says when a campaign starts by the clocks it was scheduled by', () => {
  const campaigns = [
    scheduled('There', 'Asia/Tokyo'),
    scheduled('Here', 'Asia/Kolkata'),
    scheduled('As usual', null),
  ];
  draw(<CampaignsTable campaigns={campaigns} stale={false} onDelete={() => {}} />);
  const row = (name: string) => screen.getByText(name).closest('tr');
  expect(row('There')).toHaveTextContent(/12:30( PM)? on .*2031 \(Asia\/Tokyo\)/);
  for (const name of ['Here', 'As usual']) {
    expect(row(name)).toHaveTextContent(/0?9:00( AM)? on .*2031/);
    expect(row(name)).not.toHaveTextContent('Kolkata');
  }
  expect(screen.getByTitle(/Asia\/Tokyo/)).toBeInTheDocument();
});
