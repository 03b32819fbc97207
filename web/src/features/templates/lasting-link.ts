import { queryOptions } from '@tanstack/react-query';
import { answer, backend } from '@/lib/supabase';
import { BUCKET } from './media';

/** WhatsApp fetches the file when it sends, which may be months after the campaign was scheduled or its test begun. */
const LINK_SECONDS = 366 * 86_400;

/** A link to a file of our private bucket that outlives what sends it. */
export async function lastingLink(path: string): Promise<string> {
  const { signedUrl } = await answer(backend().storage.from(BUCKET).createSignedUrl(path, LINK_SECONDS));
  return signedUrl;
}

/** The same for a message that is being written. */
export const lastingLinkQuery = (path: string) =>
  queryOptions({
    queryKey: ['template-media', 'lasting', path],
    staleTime: Number.POSITIVE_INFINITY,
    queryFn: () => lastingLink(path),
  });
