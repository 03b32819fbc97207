-- An import at work: lines come in batches, each applied in one transaction together with how far the import is.
-- Called by the jobs role of the worker, which has read the lines by octopush_rules::contact_import (docs/adr/0009).
-- Must stay true: a batch counts once, however often it is handed in; every line ends as created, updated, skipped or failed with a reason;
-- nobody who opted out is opted in; imports of one organisation take turns, so that they never wait for one another's contacts.

create or replace function worker.import_state(p_job_id uuid, p_holder uuid)
returns table (path text, file_name text, spec jsonb, line bigint, is_read boolean)
language sql volatile security definer
set search_path = ''
as $$
    select j.input ->> 'path', j.input ->> 'file_name', f.spec, coalesce(f.line, 0), coalesce(f.is_read, false)
    from private.held_job(p_job_id, p_holder) h
    join public.jobs j on j.id = h.id
    left join private.import_files f on f.job_id = j.id
$$;

create or replace function private.with_problem(p_lines private.import_line[], p_problem text)
returns private.import_line[]
language sql immutable
set search_path = ''
as $$
    select array(select jsonb_populate_record(l, jsonb_build_object('problem', p_problem)) from unnest(p_lines) l)
$$;

create or replace function private.without_lines(p_lines private.import_line[], p_numbers bigint[])
returns private.import_line[]
language sql immutable
set search_path = ''
as $$
    select case when coalesce(p_numbers, '{}') = '{}' then p_lines else array(
        select l from unnest(p_lines) l where not exists (select from unnest(p_numbers) n where n = l.line) order by l.phone) end
$$;

-- Lines of the file, those folded into others counted too.
create or replace function private.count_lines(p_lines private.import_line[])
returns integer
language sql immutable
set search_path = ''
as $$
    select (count(*) + coalesce(sum(jsonb_array_length(l.also)), 0))::integer from unnest(p_lines) l
$$;

create or replace function private.refuse_import_lines(p_job_id uuid, p_lines private.import_line[])
returns integer
language sql volatile
set search_path = ''
as $$
    with refused as (
        insert into private.import_rows (job_id, line, cells, outcome, reason)
        select p_job_id, l.line, coalesce(l.cells, '{}'), 'failed', l.problem from unnest(p_lines) l
        union all
        select p_job_id, a.line, a.cells, 'failed', l.problem
        from unnest(p_lines) l, jsonb_to_recordset(l.also) as a (line bigint, cells text[]) where l.also is not null
        on conflict do nothing
        returning 1
    )
    select count(*)::integer from refused
$$;

-- The ids of the tags that these lines name; those that are missing are made while there is room.
create or replace function private.import_tags(p_org_id uuid, p_lines private.import_line[])
returns void
language plpgsql volatile
set search_path = ''
as $$
declare
    v_missing text[];
begin
    select array_agg(x.name order by x.line, x.at) into v_missing
    from (
        select distinct on (lower(t.name)) t.name, l.line, t.at
        from unnest(p_lines) l, unnest(l.tags) with ordinality t (name, at)
        where l.tags is not null and not exists (select from public.tags k where k.org_id = p_org_id and lower(k.name) = lower(t.name))
        order by lower(t.name), l.line, t.at
    ) x;
    if v_missing is null then
        return;
    end if;
    -- As in create_tag: makers of tags take turns.
    perform from public.organizations o where o.id = p_org_id for no key update;
    insert into public.tags (org_id, name)
    select p_org_id, m.name from unnest(v_missing) with ordinality m (name, at)
    where not exists (select from public.tags k where k.org_id = p_org_id and lower(k.name) = lower(m.name))
    order by m.at
    limit greatest(50 - (select count(*) from public.tags k where k.org_id = p_org_id), 0)
    on conflict do nothing;
end
$$;

-- The tags that the lines name and those that the import gives to everybody; returns who gained one.
create or replace function private.link_import_tags(p_org_id uuid, p_spec jsonb, p_contact_ids uuid[], p_lines private.import_line[])
returns uuid[]
language sql volatile
set search_path = ''
as $$
    with wanted as (
        select c.id as contact_id, k.id as tag_id
        from unnest(p_contact_ids, p_lines) as c (id, line, cells, problem, phone, full_name, email, company, job_title, notes, birthday,
                lifecycle_stage, address, custom_fields, tags, also),
            unnest(c.tags) t
        join public.tags k on k.org_id = p_org_id and lower(k.name) = lower(t)
        where c.tags is not null
        union
        select c, k.id from unnest(p_contact_ids) c, public.tags k where k.org_id = p_org_id and k.id in (select t::uuid from jsonb_array_elements_text(p_spec -> 'tag_ids') t)
    ), linked as (
        insert into public.contact_tags (org_id, contact_id, tag_id)
        select p_org_id, w.contact_id, w.tag_id from wanted w order by w.contact_id, w.tag_id
        on conflict do nothing
        returning contact_id
    )
    select coalesce(array_agg(distinct contact_id), '{}') from linked
$$;

-- Consent of those who were there before. Somebody who opted out stays out, and nobody falls back to pending.
create or replace function private.import_consent(p_org_id uuid, p_actor uuid, p_contact_ids uuid[], p_consent jsonb)
returns void
language plpgsql volatile
set search_path = ''
as $$
declare
    v_changes jsonb;
begin
    select jsonb_agg(jsonb_build_object('contact_id', c.id, 'old', c.opt_in_status, 'new', p_consent ->> 'status',
        'source', p_consent ->> 'source', 'evidence', p_consent ->> 'evidence')) into v_changes
    from public.contacts c
    where c.org_id = p_org_id and c.id = any (p_contact_ids) and c.opt_in_status <> p_consent ->> 'status' and case p_consent ->> 'status'
        when 'opted_in' then c.opt_in_status = 'pending'
        else p_consent ->> 'status' = 'opted_out' end;
    if v_changes is null then
        return;
    end if;
    perform private.record_consents(p_org_id, p_actor, v_changes);
    update public.contacts c set
        opt_in_status = p_consent ->> 'status', opt_in_source = p_consent ->> 'source', updated_at = clock_timestamp(),
        opt_in_at = case when p_consent ->> 'status' = 'opted_in' then now() else c.opt_in_at end
    where c.org_id = p_org_id and c.id in (select (x ->> 'contact_id')::uuid from jsonb_array_elements(v_changes) x);
end
$$;

-- Which of these lines are of contacts that exist. Two contacts can answer to one number, by phone and by wa_id; the phone is what a
-- file means.
create or replace function private.match_import_lines(p_org_id uuid, p_lines private.import_line[])
returns table (line bigint, contact_id uuid, is_trashed boolean)
language sql stable
set search_path = ''
as $$
    select distinct on (m.line) m.line, m.id, m.is_trashed
    from (
        select l.line, c.id, c.deleted_at is not null as is_trashed, 1 as rank
        from unnest(p_lines) l join public.contacts c on c.org_id = p_org_id and c.phone = l.phone
        union all
        select l.line, c.id, c.deleted_at is not null, 2
        from unnest(p_lines) l join public.contacts c on c.org_id = p_org_id and c.wa_id = substr(l.phone, 2)
    ) m
    order by m.line, m.rank, m.id
$$;

-- Empty cells change nothing. p_contact_ids and p_lines belong together; the caller has locked the contacts.
create or replace function private.update_imported(p_job public.jobs, p_spec jsonb, p_contact_ids uuid[], p_lines private.import_line[])
returns void
language plpgsql volatile
set search_path = ''
as $$
declare
    v_changed uuid[];
    v_tagged uuid[];
begin
    with changed as (
        update public.contacts c set
            phone = coalesce(c.phone, l.phone), full_name = coalesce(l.full_name, c.full_name), email = coalesce(l.email, c.email),
            company = coalesce(l.company, c.company), job_title = coalesce(l.job_title, c.job_title), notes = coalesce(l.notes, c.notes),
            birthday = coalesce(l.birthday, c.birthday), lifecycle_stage = coalesce(l.lifecycle_stage, c.lifecycle_stage),
            address = case when l.address is null then c.address else coalesce(c.address, '{}') || l.address end,
            custom_fields = c.custom_fields || coalesce(l.custom_fields, '{}'), updated_at = clock_timestamp()
        from unnest(p_contact_ids, p_lines) as l (id, line, cells, problem, phone, full_name, email, company, job_title, notes, birthday,
            lifecycle_stage, address, custom_fields, tags, also)
        where c.org_id = p_job.org_id and c.id = l.id and (
            c.phone is null
            or (c.full_name, c.email, c.company, c.job_title, c.notes, c.birthday, c.lifecycle_stage) is distinct from
                (coalesce(l.full_name, c.full_name), coalesce(l.email, c.email), coalesce(l.company, c.company), coalesce(l.job_title, c.job_title),
                coalesce(l.notes, c.notes), coalesce(l.birthday, c.birthday), coalesce(l.lifecycle_stage, c.lifecycle_stage))
            or not coalesce(c.address, '{}') @> coalesce(l.address, '{}') or not c.custom_fields @> coalesce(l.custom_fields, '{}'))
        returning c.id
    )
    select coalesce(array_agg(id), '{}') into v_changed from changed;
    v_tagged := private.link_import_tags(p_job.org_id, p_spec, p_contact_ids, p_lines);
    if jsonb_typeof(p_spec -> 'consent') = 'object' then
        perform private.import_consent(p_job.org_id, p_job.created_by, p_contact_ids, p_spec -> 'consent');
    end if;
    insert into public.activity_log (org_id, kind, actor_id, contact_id, data)
    select p_job.org_id, 'contact.updated', p_job.created_by, x.id, jsonb_build_object('source', 'import', 'job_id', p_job.id)
    from (select unnest(v_changed) as id union select unnest(v_tagged)) x;
end
$$;

create or replace function private.create_imported(p_job public.jobs, p_spec jsonb, p_lines private.import_line[])
returns bigint[]
language plpgsql volatile
set search_path = ''
as $$
declare
    v_ids uuid[];
    v_lines private.import_line[];
    v_consent jsonb := nullif(p_spec -> 'consent', 'null');
begin
    with created as (
        insert into public.contacts (org_id, phone, full_name, email, company, job_title, notes, birthday, lifecycle_stage, address,
            custom_fields, source, opt_in_status, opt_in_source, opt_in_at)
        select p_job.org_id, l.phone, l.full_name, l.email, l.company, l.job_title, l.notes, l.birthday, coalesce(l.lifecycle_stage, 'lead'),
            l.address, coalesce(l.custom_fields, '{}'), 'import', coalesce(v_consent ->> 'status', 'pending'),
            v_consent ->> 'source', case when v_consent ->> 'status' = 'opted_in' then now() end
        from unnest(p_lines) l
        order by l.phone
        on conflict do nothing
        returning id, phone
    )
    select array_agg(c.id), array_agg(l::private.import_line) into v_ids, v_lines from created c join unnest(p_lines) l on l.phone = c.phone;
    if v_ids is null then
        return '{}'::bigint[];
    end if;
    perform private.link_import_tags(p_job.org_id, p_spec, v_ids, v_lines);
    if v_consent ->> 'status' <> 'pending' then
        perform private.record_consents(p_job.org_id, p_job.created_by, (
            select jsonb_agg(jsonb_build_object('contact_id', c, 'old', null, 'new', v_consent ->> 'status', 'source', v_consent ->> 'source',
                'evidence', v_consent ->> 'evidence'))
            from unnest(v_ids) c));
    end if;
    return array(select l.line from unnest(v_lines) l);
end
$$;

-- p_from: the last line dealt with before this batch, p_to: after it. p_lines: rows of private.import_line, each phone once.
-- Returns the last line dealt with, which is another than p_to when p_from was not; null when the caller no longer holds the job.
create or replace function worker.import_batch(p_job_id uuid, p_holder uuid, p_from bigint, p_to bigint, p_lines jsonb, p_total integer)
returns bigint
language plpgsql volatile security definer
set search_path = ''
-- The arrays are never the same size: a plan made once for all would take them for ten elements.
set plan_cache_mode = force_custom_plan
as $$
declare
    v_job public.jobs := private.held_job(p_job_id, p_holder);
    v_file private.import_files;
    v_lines private.import_line[];
    v_refused private.import_line[];
    v_known private.import_line[];
    v_known_ids uuid[];
    v_settled bigint[];
    v_is_update boolean;
    v_created integer := 0;
    v_later integer;
begin
    if v_job.id is null then
        return null;
    end if;
    select f.* into v_file from private.import_files f where f.job_id = p_job_id for no key update;
    if v_file.line <> p_from then
        return v_file.line;
    end if;
    v_is_update := v_file.spec ->> 'duplicates' = 'update';
    perform pg_catalog.pg_advisory_xact_lock(pg_catalog.hashtextextended('octopush imports of ' || v_job.org_id, 0));
    v_lines := array(select l from jsonb_populate_recordset(null::private.import_line, p_lines) l where l.problem is null);
    v_refused := array(select l from jsonb_populate_recordset(null::private.import_line, p_lines) l where l.problem is not null);
    v_file.failed := v_file.failed + private.refuse_import_lines(p_job_id, v_refused);

    perform private.import_tags(v_job.org_id, v_lines);
    v_refused := array(
        select l from unnest(v_lines) l where l.tags is not null and exists (
            select from unnest(l.tags) t where not exists (select from public.tags k where k.org_id = v_job.org_id and lower(k.name) = lower(t))));
    v_file.failed := v_file.failed + private.refuse_import_lines(p_job_id, private.with_problem(v_refused,
        'The organisation has 50 tags already, the most it can have; a tag of this line is not among them.'));
    v_lines := private.without_lines(v_lines, array(select l.line from unnest(v_refused) l));

    -- Once as a rule; again for those whom somebody else created between the look and the insert.
    for v_round in 1..5 loop
        exit when v_lines = '{}';
        if v_is_update then
            perform c.id from public.contacts c
            where c.org_id = v_job.org_id and c.id in (select m.contact_id from private.match_import_lines(v_job.org_id, v_lines) m)
            order by c.id for no key update;
        end if;
        select array_agg(l) filter (where not m.is_trashed), array_agg(m.contact_id) filter (where not m.is_trashed),
            array_agg(l) filter (where m.is_trashed), array_agg(m.line)
        into v_known, v_known_ids, v_refused, v_settled
        from private.match_import_lines(v_job.org_id, v_lines) m join unnest(v_lines) l on l.line = m.line;
        v_file.failed := v_file.failed + private.refuse_import_lines(p_job_id, private.with_problem(v_refused,
            'A contact with this number is in the trash: restore it there, or erase it first.'));
        if v_known is not null then
            v_later := private.count_lines(v_known);
            if v_is_update then
                perform private.update_imported(v_job, v_file.spec, v_known_ids, v_known);
                v_file.updated := v_file.updated + v_later;
            else
                v_file.skipped := v_file.skipped + v_later;
            end if;
        end if;
        v_lines := private.without_lines(v_lines, v_settled);
        v_settled := private.create_imported(v_job, v_file.spec, v_lines);
        v_created := cardinality(v_settled);
        v_file.created := v_file.created + v_created;
        v_later := private.count_lines(array(select l from unnest(v_lines) l where l.line = any (v_settled))) - v_created;
        v_file.updated := v_file.updated + case when v_is_update then v_later else 0 end;
        v_file.skipped := v_file.skipped + case when v_is_update then 0 else v_later end;
        v_lines := private.without_lines(v_lines, v_settled);
    end loop;
    if v_lines <> '{}' then
        -- Retried as a whole.
        raise exception sqlstate '40001' using message = 'contacts of an import keep being created by somebody else';
    end if;

    update private.import_files f set
        line = p_to, created = v_file.created, updated = v_file.updated, skipped = v_file.skipped, failed = v_file.failed
    where f.job_id = p_job_id;
    update public.jobs j set
        done_count = v_file.created + v_file.updated + v_file.skipped + v_file.failed,
        total_count = greatest(p_total, v_file.created + v_file.updated + v_file.skipped + v_file.failed)
    where j.id = p_job_id returning j.* into v_job;
    perform private.broadcast_job(v_job);
    perform private.broadcast('org:' || v_job.org_id, 'contacts', '{"all": true}');
    return p_to;
end
$$;

-- The header of the error file, and the lines behind p_after.
create or replace function worker.import_errors(p_job_id uuid, p_holder uuid, p_after bigint, p_limit integer)
returns table (line bigint, cells text[], reason text)
language sql volatile security definer
set search_path = ''
as $$
    select r.line, r.cells, r.reason
    from private.held_job(p_job_id, p_holder) h
    join private.import_rows r on r.job_id = h.id
    where r.line > p_after
    order by r.line
    limit p_limit
$$;

create or replace function worker.finish_import(p_job_id uuid, p_holder uuid, p_errors_path text)
returns void
language plpgsql volatile security definer
set search_path = ''
as $$
begin
    if (private.held_job(p_job_id, p_holder)).id is not null then
        perform private.finish_job(p_job_id, 'done', private.import_result(p_job_id, p_errors_path));
    end if;
end
$$;
