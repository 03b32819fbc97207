-- Jobs as people see them: started by an RPC, looked at, cancelled, told about when they end.
-- Called by the RPCs of this folder and by those of other domains that hand over long work (private.create_job).
-- Must stay true: at most five open jobs an organisation; a job ends once; whoever listens to the organisation hears every change.

create or replace function private.broadcast_job(p_job public.jobs)
returns void
language sql volatile
set search_path = ''
as $$ select private.broadcast('org:' || p_job.org_id, 'job', jsonb_build_object('job_id', p_job.id)) $$;

-- The caller has checked the permission. Erasures are a duty, not a favour: they are never too many.
create or replace function private.create_job(p_org_id uuid, p_kind text, p_input jsonb, p_total integer default null)
returns public.jobs
language plpgsql volatile
set search_path = ''
as $$
declare
    v_job public.jobs;
begin
    -- One at a time, or two callers could both see four.
    perform pg_catalog.pg_advisory_xact_lock(pg_catalog.hashtextextended('octopush jobs of ' || p_org_id, 0));
    if p_kind <> 'erasure' and (
        select count(*) from public.jobs j
        where j.org_id = p_org_id and j.status in ('queued', 'running', 'waiting') and j.kind <> 'erasure') >= 5
    then
        perform private.raise_error('JOB_005', '{"limit": 5}');
    end if;
    insert into public.jobs (org_id, kind, input, total_count, created_by)
    values (p_org_id, p_kind, p_input, p_total, (select auth.uid()))
    returning * into v_job;
    perform private.broadcast_job(v_job);
    return v_job;
end
$$;

create or replace function private.job_for(p_id uuid)
returns public.jobs
language plpgsql volatile
set search_path = ''
as $$
declare
    v_job public.jobs;
begin
    select j.* into v_job from public.jobs j where j.id = p_id and j.org_id = any (private.my_org_ids()) for no key update;
    if not found then
        perform private.raise_error('JOB_001');
    end if;
    perform private.require_permission(v_job.org_id, 'contacts.bulk');
    return v_job;
end
$$;

-- What an import has done so far, as its result.
create or replace function private.import_result(p_job_id uuid, p_errors_path text)
returns jsonb
language sql stable
set search_path = ''
as $$
    select jsonb_build_object('created', f.created, 'updated', f.updated, 'skipped', f.skipped, 'failed', f.failed, 'errors_path', p_errors_path)
    from private.import_files f where f.job_id = p_job_id and f.spec is not null
$$;

-- The end of a job, whatever it is. The caller holds the job's row.
create or replace function private.finish_job(p_job_id uuid, p_status text, p_result jsonb default null, p_problem text default null)
returns public.jobs
language plpgsql volatile
set search_path = ''
as $$
declare
    v_job public.jobs;
begin
    update public.jobs j set
        status = p_status, problem = p_problem, finished_at = private.clock(), expires_at = private.clock() + interval '7 days',
        result = coalesce(p_result, private.import_result(j.id, null), j.result - array['preview', 'columns', 'lines']),
        total_count = case when p_status = 'done' then j.done_count else j.total_count end
    where j.id = p_job_id
    returning j.* into v_job;
    delete from private.job_leases where job_id = p_job_id;
    delete from private.job_items where job_id = p_job_id;
    -- Lines of the file: nobody previews an import that has ended, and an erasure need not look for people in bytes.
    update private.import_files f set
        head = case when f.head is not null then ''::bytea end, sheet_rows = case when f.sheet_rows is not null then '[]'::jsonb end
    where f.job_id = p_job_id;
    -- Above this it took so long that the person has gone elsewhere (PRD §5.4).
    if v_job.done_count > 5000 and v_job.created_by is not null and p_status <> 'cancelled'
        and private.member_has(v_job.org_id, v_job.created_by, 'read')
    then
        perform private.notify_members(v_job.org_id, array[v_job.created_by], 'job.finished', 'normal',
            jsonb_build_object('job_id', v_job.id, 'kind', v_job.kind, 'status', v_job.status));
    end if;
    if p_status = 'done' and v_job.kind = 'import' then
        perform private.record_activity(v_job.org_id, 'contacts.imported', v_job.created_by,
            p_data => jsonb_build_object('job_id', v_job.id) || (v_job.result - 'errors_path'));
    end if;
    perform private.broadcast_job(v_job);
    return v_job;
end
$$;

create or replace function public.cancel_job(p_job_id uuid)
returns public.jobs
language plpgsql volatile security definer
set search_path = ''
as $$
declare
    -- Waits for the batch under way: the worker holds the row while it commits one.
    v_job public.jobs := private.job_for(p_job_id);
begin
    if v_job.kind = 'erasure' or v_job.status not in ('queued', 'running', 'waiting') then
        perform private.raise_error('JOB_002', jsonb_build_object('status', v_job.status));
    end if;
    return private.finish_job(p_job_id, 'cancelled');
end
$$;
comment on function public.cancel_job(uuid) is
    'Stops a job; what it has done stays done. An erasure cannot be cancelled. Errors: AUTH_003, JOB_001, JOB_002 (details.status).';
