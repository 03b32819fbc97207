import { screen } from '@testing-library/react';
import userEvent from '@testing-library/user-event';
import { expect, it, vi } from 'vitest';
import { draw } from '@/test/render';
import type { TemplatesSearch } from './list-search';
import { TemplatesToolbar } from './templates-toolbar';

vi.mock('@/features/tenancy/queries', () => ({ useOrg: () => ({ orgId: 'o' }) }));
vi.mock('./queries', () => ({
  templateLanguagesQuery: () => ({ queryKey: ['languages'], queryFn: async () => ['en', 'ms'] }),
}));

const shown = (search: TemplatesSearch) => {
  const set = vi.fn();
  draw(
    <TemplatesToolbar search={search} set={set}>
      <button type="button">New template</button>
    </TemplatesToolbar>,
  );
  return set;
};

it('counts the filters in use; an order, a search and a view are none', () => {
  shown({ status: 'approved', language: 'ms', top: true, sort: 'name', q: 'sale', view: 'table' });
  expect(screen.getByRole('button', { name: 'Filter, 3 in use' })).toHaveTextContent('Filter · 3');
});

it('opens and closes the filters, which work at once', async () => {
  const set = shown({ sort: 'name', q: 'sale' });
  const button = screen.getByRole('button', { name: 'Filter' });
  const filters = document.getElementById(button.getAttribute('aria-controls') ?? '');
  expect(button).toHaveAttribute('aria-expanded', 'false');
  expect(filters).not.toHaveAttribute('data-open');
  button.focus();
  await userEvent.keyboard('{Enter}');
  expect(button).toHaveAttribute('aria-expanded', 'true');
  expect(filters).toHaveAttribute('data-open');
  await userEvent.tab();
  expect(screen.getByLabelText('Status')).toHaveFocus();
  await userEvent.selectOptions(screen.getByLabelText('Category'), 'marketing');
  expect(set).toHaveBeenCalledWith({ category: 'marketing' });
  await userEvent.click(button);
  expect(filters).not.toHaveAttribute('data-open');
});
