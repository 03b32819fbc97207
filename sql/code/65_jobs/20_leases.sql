-- Which worker does which job. Called by the jobs role of the worker.
-- Must stay true: a job belongs to one process at a time; it changes hands only when the holder's session is gone or its lease ran out;
-- every change a worker makes for a job goes through private.held_job in the same transaction.

-- The job, locked, if the caller still holds it and nobody cancelled it; null otherwise.
create or replace function private.held_job(p_job_id uuid, p_holder uuid)
returns public.jobs
language plpgsql volatile
set search_path = ''
as $$
declare
    v_job public.jobs;
begin
    select j.* into v_job from public.jobs j where j.id = p_job_id and j.status = 'running' for no key update;
    -- A statement of its own: the job may have changed hands while this one waited for the row.
    if not exists (select from private.job_leases l where l.job_id = v_job.id and l.holder = p_holder) then
        return null;
    end if;
    return v_job;
end
$$;

-- p_kinds: what the caller can do; without a key to Storage there are no imports and exports.
create or replace function worker.claim_jobs(p_holder uuid, p_lock_key integer, p_seconds integer, p_limit integer, p_kinds text[])
returns table (job_id uuid, org_id uuid, kind text)
language plpgsql volatile security definer
set search_path = ''
as $$
#variable_conflict use_column
declare
    v_job public.jobs;
begin
    for v_job in
        select j.* from public.jobs j
        where j.status in ('queued', 'running') and j.kind = any (p_kinds) and not exists (
            select from private.job_leases l
            where l.job_id = j.id and l.lease_until >= clock_timestamp() and private.is_session_alive(l.lock_key))
        -- One organisation's long jobs must not keep the others waiting.
        order by (select count(*) from public.jobs r where r.org_id = j.org_id and r.status = 'running' and r.id <> j.id), j.created_at
        limit p_limit for no key update of j skip locked
    loop
        insert into private.job_leases as l (job_id, holder, lock_key, lease_until)
        values (v_job.id, p_holder, p_lock_key, clock_timestamp() + make_interval(secs => p_seconds))
        on conflict (job_id) do update set holder = excluded.holder, lock_key = excluded.lock_key, lease_until = excluded.lease_until;
        update public.jobs j set status = 'running', started_at = coalesce(j.started_at, private.clock())
        where j.id = v_job.id returning j.* into v_job;
        perform private.broadcast_job(v_job);
        job_id := v_job.id;
        org_id := v_job.org_id;
        kind := v_job.kind;
        return next;
    end loop;
end
$$;

create or replace function worker.extend_jobs(p_holder uuid, p_job_ids uuid[], p_seconds integer)
returns void
language sql volatile security definer
set search_path = ''
as $$
    update private.job_leases set lease_until = clock_timestamp() + make_interval(secs => p_seconds)
    where job_id = any (p_job_ids) and holder = p_holder
$$;

create or replace function worker.release_job(p_job_id uuid, p_holder uuid)
returns void
language sql volatile security definer
set search_path = ''
as $$ delete from private.job_leases where job_id = p_job_id and holder = p_holder $$;

create or replace function worker.fail_job(p_job_id uuid, p_holder uuid, p_problem text)
returns void
language plpgsql volatile security definer
set search_path = ''
as $$
begin
    if (private.held_job(p_job_id, p_holder)).id is not null then
        perform private.finish_job(p_job_id, 'failed', p_problem => left(p_problem, 500));
    end if;
end
$$;
