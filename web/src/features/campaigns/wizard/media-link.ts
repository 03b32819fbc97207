import { BUCKET } from '@/features/templates/media';
import { answer, backend } from '@/lib/supabase';

/** WhatsApp fetches the file when it sends, which may be months after the campaign was scheduled or its test begun. */
const LINK_SECONDS = 366 * 86_400;

/** A link to a file of our private bucket that outlives the campaign. */
export async function lastingLink(path: string): Promise<string> {
  const { signedUrl } = await answer(backend().storage.from(BUCKET).createSignedUrl(path, LINK_SECONDS));
  return signedUrl;
}
