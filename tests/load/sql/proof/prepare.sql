-- Makes a migrated database one in which time and what campaigns and flows did are ours. Called by proof::House, in a database of its own.
-- As postgres: the product's functions run as that role and read these tables.
set role postgres;
create table private.proof_clock (now timestamptz not null);
insert into private.proof_clock values (clock_timestamp());
create or replace function private.clock() returns timestamptz
language sql volatile parallel safe set search_path = ''
as $$ select c.now from private.proof_clock c $$;

create table private.proof_reactions (org_id uuid, contact_id uuid, campaign_id uuid, received_at timestamptz, read_at timestamptz,
    replied_at timestamptz, clicked_at timestamptz);
create or replace view private.campaign_reactions as
select org_id, contact_id, campaign_id, max(received_at) as received_at, max(read_at) as read_at, max(replied_at) as replied_at, max(clicked_at) as clicked_at
from private.proof_reactions group by org_id, contact_id, campaign_id;
create table private.proof_runs (org_id uuid, contact_id uuid, flow_id uuid, status text);
create or replace view private.flow_runs as select org_id, contact_id, flow_id, status from private.proof_runs;

-- An import's batch as a worker hands it over, of a job that is running.
create function private.proof_import(p_org_id uuid, p_actor uuid, p_lines jsonb, p_duplicates text) returns void
language plpgsql volatile set search_path = ''
as $$
declare
    v_job uuid;
    v_holder uuid := octopush.uuid_v7();
begin
    insert into public.jobs (org_id, kind, status, input, created_by, started_at)
    values (p_org_id, 'import', 'running', '{}', p_actor, now()) returning id into v_job;
    insert into private.job_leases (job_id, holder, lock_key, lease_until) values (v_job, v_holder, 1, 'infinity');
    insert into private.import_files (job_id, size, head, spec)
    values (v_job, 1, '\x00', jsonb_build_object('duplicates', p_duplicates, 'tag_ids', '[]'::jsonb, 'consent', null));
    perform worker.import_batch(v_job, v_holder, 0, jsonb_array_length(p_lines), p_lines, jsonb_array_length(p_lines));
    perform private.finish_job(v_job, 'done');
end
$$;
reset role;
