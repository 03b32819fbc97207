import { pathName } from '@/features/jobs/import/mapping';
import { config } from '@/lib/config';
import { backend } from '@/lib/supabase';
import { BUCKET } from '../media';
import type { MediaFile } from './values';

export type MediaKind = 'image' | 'video' | 'gif' | 'document';

interface Taken {
  types: string[];
  megabytes: number;
  words: string;
}

/** What WhatsApp takes (reference/whatsapp.md §7). A GIF is a short film that plays by itself. */
export const taken: Record<MediaKind, Taken> = {
  image: { types: ['image/jpeg', 'image/png'], megabytes: 5, words: 'JPEG or PNG, up to 5 MB' },
  video: { types: ['video/mp4', 'video/3gpp'], megabytes: 16, words: 'MP4 or 3GP, up to 16 MB' },
  gif: { types: ['video/mp4'], megabytes: 3.5, words: 'MP4, up to 3.5 MB' },
  document: { types: ['application/pdf'], megabytes: 100, words: 'PDF, up to 100 MB' },
};

export function fileProblem(kind: MediaKind, file: Pick<File, 'type' | 'size'>): string | undefined {
  const { types, megabytes, words } = taken[kind];
  if (!types.includes(file.type)) return `WhatsApp doesn’t take this kind of file here. Choose ${words}.`;
  if (file.size > megabytes * 1024 * 1024)
    return `This file has ${(file.size / 1024 / 1024).toFixed(1)} MB. WhatsApp takes up to ${megabytes} MB.`;
  if (file.size === 0) return 'This file is empty. Choose another one.';
  return undefined;
}

/** Uploads and tells how far it is: the client's own upload cannot, because `fetch` does not report what has been sent. */
export async function uploadMedia(
  orgId: string,
  file: File,
  onProgress: (percent: number) => void,
  signal: AbortSignal,
): Promise<MediaFile> {
  const { supabaseUrl, supabaseAnonKey } = config();
  const { data } = await backend().auth.getSession();
  const token = data.session?.access_token;
  if (!token) throw { code: 'AUTH_002' };
  const path = `${orgId}/${crypto.randomUUID()}/${pathName(file.name)}`;
  const request = new XMLHttpRequest();
  request.open('POST', `${supabaseUrl}/storage/v1/object/${BUCKET}/${path}`);
  request.setRequestHeader('apikey', supabaseAnonKey);
  request.setRequestHeader('authorization', `Bearer ${token}`);
  request.setRequestHeader('content-type', file.type);
  const sent = new Promise<void>((resolve, reject) => {
    request.upload.addEventListener('progress', (event) => {
      if (event.lengthComputable) onProgress(Math.round((event.loaded / event.total) * 100));
    });
    request.addEventListener('load', () => {
      if (request.status >= 200 && request.status < 300) resolve();
      else reject({ code: request.status === 403 ? 'AUTH_003' : 'REQUEST_001', status: request.status });
    });
    request.addEventListener('error', () => reject(new TypeError('Failed to fetch')));
    request.addEventListener('abort', () => reject(new DOMException('stopped', 'AbortError')));
  });
  signal.addEventListener('abort', () => request.abort());
  request.send(file);
  await sent;
  return { path, mime: file.type };
}
