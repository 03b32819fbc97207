-- Exports: the contacts as they are chosen when the worker begins, or the ledger of a campaign, page by page, into a CSV file of bucket exports
-- (PRD §5.4, §7.2).
-- Called by create_export's callers and by the jobs role of the worker.
-- Must stay true: nobody without contacts.bulk gets one, and nobody without contacts.trash one of the trash; who was chosen does not change while the file is written.

create or replace function public.create_export(p_org_id uuid, p_selection jsonb default '{}')
returns public.jobs
language plpgsql volatile security definer
set search_path = ''
as $$
begin
    perform private.require_permission(p_org_id, 'contacts.bulk');
    if p_selection -> 'trash' = 'true' then
        perform private.require_permission(p_org_id, 'contacts.trash');
    end if;
    -- Refuses a malformed selection now, while there is somebody to tell.
    perform s from private.selected_contacts(p_org_id, coalesce(p_selection, '{}')) s limit 1;
    return private.create_job(p_org_id, 'export', jsonb_build_object('selection', coalesce(p_selection, '{}')));
end
$$;
comment on function public.create_export(uuid, jsonb) is
    'Writes a CSV file of a selection; result {"path", "rows"}, path in bucket exports. Errors: AUTH_003, ORG_001, CONTACT_012, SEGMENT_002, JOB_005.';

-- The columns, named so that an import recognises them.
create or replace function private.export_header(p_org_id uuid)
returns text[]
language sql stable
set search_path = ''
as $$
    select array['Phone', 'Name', 'Email', 'Company', 'Job title', 'Street', 'City', 'State', 'Country', 'Zip', 'Birthday', 'Lifecycle stage',
        'Notes', 'Tags', 'Consent', 'Consent since', 'Consent source', 'Source', 'Username', 'Last message', 'Created'] || array(
            select d.label from public.custom_field_definitions d
            where d.org_id = p_org_id and d.archived_at is null order by d.position, d.key)
$$;

create or replace function worker.start_export(p_job_id uuid, p_holder uuid)
returns table (header text[], total integer)
language plpgsql volatile security definer
set search_path = ''
as $$
#variable_conflict use_column
declare
    v_job public.jobs := private.held_job(p_job_id, p_holder);
begin
    if v_job.id is null then
        return;
    end if;
    -- A worker that takes over writes the file again, of the same contacts.
    if v_job.input ? 'campaign_id' and not exists (select from private.job_items i where i.job_id = p_job_id) then
        insert into private.job_items (job_id, position, contact_id)
        select p_job_id, row_number() over (order by r.contact_id), r.contact_id
        from public.campaign_recipients r
        where r.org_id = v_job.org_id and r.campaign_id = (v_job.input ->> 'campaign_id')::uuid;
    end if;
    if not v_job.input ? 'campaign_id' and not exists (select from private.job_items i where i.job_id = p_job_id) then
        insert into private.job_items (job_id, position, contact_id)
        select p_job_id, row_number() over (order by c.id), c.id
        from private.selected_contacts(v_job.org_id, v_job.input -> 'selection') s (id)
        join public.contacts c on c.org_id = v_job.org_id and c.id = s.id
        -- Ids may be of contacts in the trash, which only those may read who asked for the trash.
        where c.deleted_at is null or v_job.input #> '{selection,trash}' = 'true';
    end if;
    update public.jobs j set done_count = 0, total_count = (select count(*) from private.job_items i where i.job_id = p_job_id)
    where j.id = p_job_id returning j.* into v_job;
    perform private.broadcast_job(v_job);
    header := case when v_job.input ? 'campaign_id' then private.recipient_header() else private.export_header(v_job.org_id) end;
    total := v_job.total_count;
    return next;
end
$$;

create or replace function private.export_value(p_type text, p_value jsonb)
returns text
language sql immutable parallel safe
set search_path = ''
as $$
    select case
        when p_value is null or jsonb_typeof(p_value) = 'null' then ''
        when p_type = 'boolean' then case when p_value = 'true' then 'yes' else 'no' end
        -- Options may have commas in their names.
        when jsonb_typeof(p_value) = 'array' then (select coalesce(string_agg(x, '; '), '') from jsonb_array_elements_text(p_value) x)
        else p_value #>> '{}'
    end
$$;

-- One page. Contacts that were erased or merged since are left out. No row: the page is the last, or the job was taken away.
create or replace function worker.export_page(p_job_id uuid, p_holder uuid, p_after integer, p_limit integer)
returns table (last_position integer, cells text[])
language plpgsql volatile security definer
set search_path = ''
set plan_cache_mode = force_custom_plan
as $$
#variable_conflict use_column
declare
    v_job public.jobs := private.held_job(p_job_id, p_holder);
    v_zone text;
begin
    if v_job.id is null then
        return;
    end if;
    select o.time_zone into v_zone from public.organizations o where o.id = v_job.org_id;
    if v_job.input ? 'campaign_id' then
        return query
        select i.position, r.cells
        from (
            select x.position, x.contact_id from private.job_items x
            where x.job_id = p_job_id and x.position > p_after order by x.position limit p_limit
        ) i
        left join private.recipient_cells((v_job.input ->> 'campaign_id')::uuid, array(
            select x.contact_id from private.job_items x
            where x.job_id = p_job_id and x.position > p_after order by x.position limit p_limit), v_zone) r on r.contact_id = i.contact_id
        order by i.position;
        update public.jobs j set done_count = least(p_after + p_limit, j.total_count) where j.id = p_job_id returning j.* into v_job;
        perform private.broadcast_job(v_job);
        return;
    end if;
    return query
    with page as (
        select i.position, i.contact_id from private.job_items i
        where i.job_id = p_job_id and i.position > p_after order by i.position limit p_limit
    ), fields as (
        select d.key, d.type, row_number() over (order by d.position, d.key) as number
        from public.custom_field_definitions d where d.org_id = v_job.org_id and d.archived_at is null
    )
    select p.position, case when c.id is not null then array[
            coalesce(c.phone, ''), coalesce(c.full_name, ''), coalesce(c.email, ''), coalesce(c.company, ''), coalesce(c.job_title, ''),
            coalesce(c.address ->> 'street', ''), coalesce(c.address ->> 'city', ''), coalesce(c.address ->> 'state', ''),
            coalesce(c.address ->> 'country', ''), coalesce(c.address ->> 'zip', ''), coalesce(c.birthday::text, ''), c.lifecycle_stage,
            coalesce(c.notes, ''), coalesce(t.names, ''), c.opt_in_status, coalesce(to_char(c.opt_in_at at time zone v_zone, 'YYYY-MM-DD HH24:MI'), ''),
            coalesce(c.opt_in_source, ''), c.source, coalesce(c.username, ''),
            coalesce(to_char(c.last_message_at at time zone v_zone, 'YYYY-MM-DD HH24:MI'), ''),
            to_char(c.created_at at time zone v_zone, 'YYYY-MM-DD HH24:MI')]
        || array(select private.export_value(f.type, c.custom_fields -> f.key) from fields f order by f.number) end
    from page p
    left join public.contacts c on c.id = p.contact_id and c.org_id = v_job.org_id and c.erased_at is null
    left join lateral (
        select string_agg(k.name, ', ' order by lower(k.name)) as names
        from public.contact_tags ct join public.tags k on k.org_id = ct.org_id and k.id = ct.tag_id
        where ct.org_id = v_job.org_id and ct.contact_id = c.id
    ) t on true
    order by p.position;
    update public.jobs j set done_count = least(p_after + p_limit, j.total_count) where j.id = p_job_id returning j.* into v_job;
    perform private.broadcast_job(v_job);
end
$$;

create or replace function worker.finish_export(p_job_id uuid, p_holder uuid, p_path text, p_rows integer)
returns void
language plpgsql volatile security definer
set search_path = ''
as $$
begin
    if (private.held_job(p_job_id, p_holder)).id is not null then
        perform private.finish_job(p_job_id, 'done', jsonb_build_object('path', p_path, 'rows', p_rows));
    end if;
end
$$;
