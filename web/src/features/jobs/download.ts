import { backend } from '@/lib/supabase';

/** Long enough to click, short enough that a copied link is worth nothing tomorrow. */
const LINK_SECONDS = 300;

/** Saves what a job wrote, an export or the refused rows of an import, through a link that soon stops working. */
export async function downloadFile(path: string): Promise<void> {
  const name = path.split('/').at(-1) ?? 'contacts.csv';
  const { data, error } = await backend()
    .storage.from('exports')
    .createSignedUrl(path, LINK_SECONDS, { download: name });
  if (error) throw error;
  save(data.signedUrl, name);
}

export function downloadJson(value: unknown, name: string): void {
  const url = URL.createObjectURL(new Blob([JSON.stringify(value, null, 2)], { type: 'application/json' }));
  save(url, name);
  setTimeout(() => URL.revokeObjectURL(url), 10_000);
}

function save(url: string, name: string) {
  const link = document.createElement('a');
  link.href = url;
  link.download = name;
  link.rel = 'noopener';
  document.body.append(link);
  link.click();
  link.remove();
}
