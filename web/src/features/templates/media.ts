import { queryOptions } from '@tanstack/react-query';
import { answer, backend } from '@/lib/supabase';

export const BUCKET = 'templates';
const LINK_SECONDS = 3_600;

/** Where a file of the private bucket can be seen for a while. */
export function mediaLinkQuery(path: string) {
  return queryOptions({
    queryKey: ['template-media', path],
    // Asked anew well before the link runs out.
    staleTime: (LINK_SECONDS / 2) * 1_000,
    queryFn: async () => {
      const { signedUrl } = await answer(backend().storage.from(BUCKET).createSignedUrl(path, LINK_SECONDS));
      return signedUrl;
    },
  });
}
