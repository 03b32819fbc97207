import { screen, waitFor } from '@testing-library/react';
import userEvent from '@testing-library/user-event';
import { expect, it, vi } from 'vitest';
import { draw } from '@/test/render';
import { ConversionHelp } from './conversion-help';

vi.mock('@/features/tenancy/queries', () => ({ useOrg: () => ({ orgId: 'org-7' }) }));

it('opens by keyboard and gives a call with the organisation’s own address to copy', async () => {
  vi.stubGlobal(
    'fetch',
    vi.fn(async () => Response.json({ linkOrigin: 'https://links.example.com/' })),
  );
  const user = userEvent.setup();
  draw(<ConversionHelp />);
  const button = screen.getByRole('button', { name: 'How to sign a call' });
  expect(button).toHaveAttribute('aria-expanded', 'false');
  expect(screen.queryByText(/openssl/)).not.toBeInTheDocument();
  await user.tab();
  expect(button).toHaveFocus();
  await user.keyboard('{Enter}');
  expect(await screen.findByText(/openssl/)).toHaveTextContent(
    'curl -sS "https://links.example.com/conversions/org-7"',
  );
  await user.click(screen.getByRole('button', { name: 'Copy the example' }));
  expect(await navigator.clipboard.readText()).toBe(screen.getByText(/openssl/).textContent);
  await user.click(button);
  await waitFor(() => expect(screen.queryByText(/openssl/)).not.toBeInTheDocument());
});
