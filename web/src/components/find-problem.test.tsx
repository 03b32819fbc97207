import { screen } from '@testing-library/react';
import { expect, it, vi } from 'vitest';
import { draw } from '@/test/render';
import { FindProblem } from './find-problem';

const shown = (error: unknown) =>
  draw(<FindProblem error={error} what="this campaign" onRetry={vi.fn()} back={<a href="/x">All</a>} />);

it('leads away from what is not there, and tries again what may come', () => {
  const { unmount } = shown({ code: 'CAMPAIGN_001' });
  expect(screen.getByRole('link', { name: 'All' })).toBeInTheDocument();
  expect(screen.queryByRole('button', { name: 'Try again' })).not.toBeInTheDocument();
  unmount();
  shown(new TypeError('Failed to fetch'));
  expect(screen.getByRole('button', { name: 'Try again' })).toBeInTheDocument();
  expect(screen.queryByRole('link')).not.toBeInTheDocument();
});
