import { config } from '@/lib/config';
import { backend } from '@/lib/supabase';
import { pathName } from './mapping';

/**
 * Uploads into the private bucket of imports and tells how far it is: the client's own upload cannot, because `fetch`
 * does not report what has been sent.
 */
export async function uploadImport(
  orgId: string,
  file: File,
  onProgress: (percent: number) => void,
  signal: AbortSignal,
): Promise<string> {
  const { supabaseUrl, supabaseAnonKey } = config();
  const { data } = await backend().auth.getSession();
  const token = data.session?.access_token;
  if (!token) throw { code: 'AUTH_002' };
  const path = `${orgId}/${crypto.randomUUID()}/${pathName(file.name)}`;
  const request = new XMLHttpRequest();
  request.open('POST', `${supabaseUrl}/storage/v1/object/imports/${path}`);
  request.setRequestHeader('apikey', supabaseAnonKey);
  request.setRequestHeader('authorization', `Bearer ${token}`);
  request.setRequestHeader('content-type', file.type || 'application/octet-stream');
  const sent = new Promise<void>((resolve, reject) => {
    request.upload.addEventListener('progress', (event) => {
      if (event.lengthComputable) onProgress(Math.round((event.loaded / event.total) * 100));
    });
    request.addEventListener('load', () => {
      if (request.status >= 200 && request.status < 300) resolve();
      else reject({ code: request.status === 403 ? 'AUTH_003' : 'JOB_003', status: request.status });
    });
    request.addEventListener('error', () => reject(new TypeError('Failed to fetch')));
    request.addEventListener('abort', () => reject(new DOMException('stopped', 'AbortError')));
  });
  signal.addEventListener('abort', () => request.abort());
  request.send(file);
  await sent;
  return path;
}
