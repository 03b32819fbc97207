import { MantineProvider } from '@mantine/core';
import { type QueryClient, QueryClientProvider } from '@tanstack/react-query';
import { RouterProvider } from '@tanstack/react-router';
import { Suspense, useEffect, useState } from 'react';
import { authState, onAuthChange } from '@/features/auth/session';
import { lazyPart } from '@/lib/lazy-part';
import { createQueryClient } from '@/lib/queries';
import { createAppRouter } from './router';
import { cssVariables, theme } from './theme/theme';

// Nothing of it is needed for the first paint.
const Toasts = lazyPart(async () => (await import('@/components/toasts')).default);

export function App() {
  const [queryClient] = useState(createQueryClient);
  const [router] = useState(() => createAppRouter(queryClient));
  useFollowSession(queryClient, router);
  return (
    <MantineProvider theme={theme} cssVariablesResolver={cssVariables} defaultColorScheme="auto">
      <QueryClientProvider client={queryClient}>
        <RouterProvider router={router} />
        <Suspense fallback={null}>
          <Toasts />
        </Suspense>
      </QueryClientProvider>
    </MantineProvider>
  );
}

/** When somebody signs in or out, the guards decide anew, and nothing of one person is left for the next. */
function useFollowSession(queryClient: QueryClient, router: ReturnType<typeof createAppRouter>) {
  useEffect(() => {
    let person = authState().session?.user.id;
    return onAuthChange(() => {
      const now = authState().session?.user.id;
      if (now === person) return;
      person = now;
      void router.invalidate().then(() => {
        if (!now) queryClient.clear();
      });
    });
  }, [queryClient, router]);
}
