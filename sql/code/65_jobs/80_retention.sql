-- What is left of old jobs goes after a week: their rows here, their files by the worker through Storage.
-- Called by the maintenance and the jobs role of the worker.

create or replace function worker.purge_jobs(p_limit integer)
returns integer
language plpgsql volatile security definer
set search_path = ''
as $$
declare
    v_job public.jobs;
    v_count integer := 0;
begin
    -- Somebody closed the window while an import waited for its mapping: it would count among the five for ever.
    for v_job in
        select j.* from public.jobs j
        where j.status = 'waiting' and j.created_at < private.clock() - interval '1 day'
        order by j.created_at limit p_limit for no key update skip locked
    loop
        perform private.finish_job(v_job.id, 'cancelled');
        v_count := v_count + 1;
    end loop;
    with expired as (
        delete from public.jobs where id in (
            select j.id from public.jobs j
            where j.expires_at < private.clock() and j.status in ('done', 'failed', 'cancelled')
            order by j.expires_at limit p_limit for update skip locked)
        returning 1
    )
    select v_count + count(*)::integer into v_count from expired;
    return v_count;
end
$$;

-- Uploads that never became a job are among them. Only Storage itself may remove a file.
create or replace function worker.expired_files(p_limit integer)
returns table (bucket text, path text)
language sql volatile security definer
set search_path = ''
as $$
    select o.bucket_id, o.name from storage.objects o
    where o.bucket_id in ('imports', 'exports') and o.created_at < private.clock() - interval '7 days'
        and not exists (
            select from public.jobs j
            where o.bucket_id = 'imports' and j.input ->> 'path' = o.name and j.status in ('queued', 'running', 'waiting'))
    order by o.created_at
    limit p_limit
$$;
