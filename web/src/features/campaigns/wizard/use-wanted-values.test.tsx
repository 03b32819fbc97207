import { QueryClient, QueryClientProvider } from '@tanstack/react-query';
import { act, renderHook, waitFor } from '@testing-library/react';
import type { ReactNode } from 'react';
import { expect, it, vi } from 'vitest';
import { detailSchema } from '../model';
import { emptyVariant, missingIn, valuesOf } from './draft';
import { useWantedValues } from './use-wanted-values';

const rpc = vi.fn();
vi.mock('@/lib/supabase', async (original) => ({ ...(await original<object>()), backend: () => ({ rpc }) }));
vi.mock('@/features/tenancy/queries', () => ({ useOrg: () => ({ orgId: 'o' }) }));

const empty = valuesOf(
  detailSchema.parse({
    campaign: { id: 'c', org_id: 'o', name: 'Diwali', status: 'draft', created_at: 'v1', updated_at: 'v1' },
  }),
);
const variable = { key: 'body.1', kind: 'text', label: 'Text, 1', example: 'Aina' };

const begin = (variants: object[]) => {
  const client = new QueryClient({ defaultOptions: { queries: { retry: false } } });
  const wrapper = ({ children }: { children: ReactNode }) => (
    <QueryClientProvider client={client}>{children}</QueryClientProvider>
  );
  const values = { ...empty, variants: variants.map((variant) => ({ ...emptyVariant, ...variant })) };
  const { result } = renderHook(() => useWantedValues(values), { wrapper });
  return { result, missing: () => missingIn('content', result.current.values, 0) };
};

it('a template just chosen is not done before it has told what it asks for', async () => {
  let answer: (asked: object) => void = () => {};
  rpc.mockReturnValue(new Promise((resolve) => (answer = resolve)));
  const { result, missing } = begin([{ template_id: 't' }]);
  expect(result.current.isLoading).toBe(true);
  await act(async () => answer({ data: [variable], error: null }));
  await waitFor(() => expect(result.current.isLoading).toBe(false));
  expect(missing()).toBe('Fill in every value.');
});

it('what is filled in stays, and two versions of one template are asked about once', async () => {
  rpc.mockReset().mockResolvedValue({ data: [variable], error: null });
  const variables = { 'body.1': { source: 'static', value: 'friend' } };
  const { result, missing } = begin([
    { template_id: 't', variables, share: 50 },
    { template_id: 't', variables, share: 50 },
  ]);
  await waitFor(() => expect(result.current.isLoading).toBe(false));
  expect(result.current.values.variants[0]?.variables).toEqual(variables);
  expect(missing()).toBeUndefined();
  expect(rpc).toHaveBeenCalledTimes(1);
});

it('a template that could not be asked is told from one that asks for nothing', async () => {
  rpc.mockReset().mockResolvedValue({ data: null, error: { code: 'PGRST001', message: '' } });
  const { result } = begin([{ template_id: 't' }]);
  await waitFor(() => expect(result.current.isFailed).toBe(true));
  expect(result.current.isLoading).toBe(false);
});

it('without a template there is nothing to wait for', () => {
  const { result, missing } = begin([{}]);
  expect(result.current.isLoading).toBe(false);
  expect(missing()).toBe('Choose a template.');
});
