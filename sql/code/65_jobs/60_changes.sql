-- Changes of more contacts than a request should wait for, and what an erasure leaves to do: slice by slice.
-- Called by the jobs role of the worker, for jobs that change_contacts and erase_contact made.
-- Must stay true: a slice and how far the job is are one transaction.

-- The next slice. done: the job is finished; null: the caller no longer holds it.
create or replace function worker.apply_bulk_change(p_job_id uuid, p_holder uuid, p_limit integer)
returns boolean
language plpgsql volatile security definer
set search_path = ''
as $$
declare
    v_job public.jobs := private.held_job(p_job_id, p_holder);
    v_ids uuid[];
    v_last integer;
    v_changed integer;
begin
    if v_job.id is null then
        return null;
    end if;
    select array_agg(i.contact_id), max(i.position) into v_ids, v_last from (
        select i.contact_id, i.position from private.job_items i
        where i.job_id = p_job_id and i.position > v_job.done_count order by i.position limit p_limit
    ) i;
    if v_ids is null then
        perform private.finish_job(p_job_id, 'done', coalesce(v_job.result, '{"changed": 0}'));
        return true;
    end if;
    v_changed := private.apply_contact_change(v_job.org_id, v_ids, v_job.input -> 'change', v_job.created_by);
    update public.jobs j set
        done_count = v_last,
        result = jsonb_build_object('changed', coalesce((j.result ->> 'changed')::integer, 0) + v_changed)
    where j.id = p_job_id returning j.* into v_job;
    perform private.broadcast_job(v_job);
    return false;
end
$$;
