import { QueryClient } from '@tanstack/react-query';
import { describeError } from './errors';

export function createQueryClient(): QueryClient {
  return new QueryClient({
    defaultOptions: {
      queries: {
        staleTime: 30_000,
        gcTime: 10 * 60_000,
        // An offline browser should show the error with its "Try again", not a skeleton for ever.
        networkMode: 'always',
        retry: (failures, error) => failures < 2 && describeError(error).retryable,
        retryDelay: (attempt) => Math.min(1_000 * 2 ** attempt, 5_000),
      },
      mutations: { networkMode: 'always', retry: false },
    },
  });
}
