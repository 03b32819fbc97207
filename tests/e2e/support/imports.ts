import { environment } from './environment';
import { callAs, type Team, tokenOf } from './people';
import { ask, eventually } from './requests';

interface Job {
  id: string;
  status: string;
  result: { encoding: string; delimiter: string; has_header: boolean } | null;
}

const { supabaseUrl, anonKey } = environment;

const headersOf = async (team: Team) => ({ apikey: anonKey, authorization: `Bearer ${await tokenOf(team.owner)}` });

const jobWhen = (team: Team, id: string, status: string) =>
  eventually(`the import to be ${status}`, async () => {
    const [job] = await ask<Job[]>(`${supabaseUrl}/rest/v1/jobs?select=id,status,result&id=eq.${id}`, { headers: await headersOf(team) });
    return job?.status === status ? job : undefined;
  }, 30_000);

/** A file the workers have looked at, waiting for somebody to say what its columns are. */
export async function uploadFile(team: Team, name: string, text: string): Promise<Job> {
  const path = `${team.orgId}/${crypto.randomUUID()}/${name}`;
  const sent = await fetch(`${supabaseUrl}/storage/v1/object/imports/${path}`, {
    method: 'POST',
    headers: { ...(await headersOf(team)), 'content-type': 'text/csv' },
    body: text,
  });
  if (!sent.ok) throw new Error(`the upload was answered ${sent.status}: ${await sent.text()}`);
  const job = await callAs<Job>(team.owner, 'create_import', { p_org_id: team.orgId, p_path: path, p_file_name: name });
  return jobWhen(team, job.id, 'waiting');
}

/** Imports the columns in their order as these fields. */
export async function importFile(team: Team, name: string, text: string, fields: string[]): Promise<Job> {
  const job = await uploadFile(team, name, text);
  await callAs(team.owner, 'start_import', {
    p_job_id: job.id,
    p_mapping: fields.map((field, index) => ({ index, field })),
    p_options: {
      has_header: true,
      delimiter: job.result?.delimiter,
      encoding: job.result?.encoding,
      duplicates: 'skip',
      default_region: 'MY',
      tag_ids: [],
      consent: null,
      date_order: 'dmy',
    },
  });
  return jobWhen(team, job.id, 'done');
}
