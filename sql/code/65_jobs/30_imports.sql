-- Imports until they start: a file is named, a worker looks at it, a person says what its columns are (PRD §5.4).
-- Must stay true: what a preview shows is made by the same code from the same bytes as the import itself (octopush.read_import_row).

create or replace function public.create_import(p_org_id uuid, p_path text, p_file_name text)
returns public.jobs
language plpgsql volatile security definer
set search_path = ''
as $$
begin
    perform private.require_permission(p_org_id, 'contacts.bulk');
    if p_path is null or not starts_with(p_path, p_org_id || '/')
        or not exists (select from storage.objects o where o.bucket_id = 'imports' and o.name = p_path)
    then
        perform private.raise_error('JOB_003');
    end if;
    return private.create_job(p_org_id, 'import', jsonb_build_object('path', p_path, 'file_name', left(coalesce(p_file_name, ''), 255)));
end
$$;
comment on function public.create_import(uuid, text, text) is
    'p_path: an object of bucket imports, <org_id>/…. A worker looks at it: status waiting, result as docs/contacts-and-segments.md says. Errors: AUTH_003, ORG_001, JOB_003, JOB_005.';

create or replace function private.import_definitions(p_org_id uuid)
returns jsonb
language sql stable
set search_path = ''
as $$
    select coalesce(jsonb_agg(jsonb_build_object('key', d.key, 'label', d.label, 'type', d.type, 'options', d.options) order by d.position, d.key), '[]')
    from public.custom_field_definitions d where d.org_id = p_org_id and d.archived_at is null
$$;

-- What the file looks like when it is read with these options; absent ones are found out.
create or replace function private.import_head(p_job public.jobs, p_options jsonb)
returns jsonb
language sql stable
set search_path = ''
as $$
    select case when f.head is not null then octopush.read_import_head(f.head, o.options) else octopush.read_import_sheet(f.sheet_rows, o.options) end
    from private.import_files f, lateral (
        select jsonb_build_object('custom_fields', private.import_definitions(p_job.org_id), 'size', f.size, 'rows', p_job.total_count, 'sheet', f.sheet)
            || jsonb_strip_nulls(jsonb_build_object('encoding', p_options -> 'encoding', 'delimiter', p_options -> 'delimiter',
                'has_header', p_options -> 'has_header')) as options
    ) o
    where f.job_id = p_job.id
$$;

create or replace function worker.record_import_head(
    p_job_id uuid, p_holder uuid, p_size bigint, p_head bytea, p_sheet_rows jsonb, p_sheet text, p_rows bigint
) returns void
language plpgsql volatile security definer
set search_path = ''
as $$
declare
    v_job public.jobs := private.held_job(p_job_id, p_holder);
    v_head jsonb;
begin
    if v_job.id is null then
        return;
    end if;
    insert into private.import_files (job_id, size, head, sheet_rows, sheet) values (p_job_id, p_size, p_head, p_sheet_rows, p_sheet)
    on conflict (job_id) do update set size = excluded.size, head = excluded.head, sheet_rows = excluded.sheet_rows, sheet = excluded.sheet;
    v_job.total_count := p_rows::integer;
    v_head := private.import_head(v_job, '{}');
    if v_head ? 'problem' then
        perform private.finish_job(p_job_id, 'failed', p_problem => v_head ->> 'problem');
        return;
    end if;
    update public.jobs j set status = 'waiting', result = v_head - 'cells', total_count = (v_head ->> 'rows_estimate')::bigint
    where j.id = p_job_id returning j.* into v_job;
    delete from private.job_leases where job_id = p_job_id;
    perform private.broadcast_job(v_job);
end
$$;

create or replace function private.waiting_import(p_job_id uuid)
returns public.jobs
language plpgsql volatile
set search_path = ''
as $$
declare
    v_job public.jobs := private.job_for(p_job_id);
begin
    if v_job.kind <> 'import' or v_job.status <> 'waiting' then
        perform private.raise_error('JOB_002', jsonb_build_object('status', v_job.status));
    end if;
    return v_job;
end
$$;

create or replace function private.refuse_mapping(p_field text, p_message text)
returns void
language sql volatile
set search_path = ''
as $$
    select private.raise_error('JOB_004', jsonb_build_object('problems', jsonb_build_array(jsonb_build_object('field', p_field, 'message', p_message))))
$$;

create or replace function public.inspect_import(p_job_id uuid, p_options jsonb default '{}')
returns jsonb
language plpgsql volatile security definer
set search_path = ''
as $$
declare
    v_job public.jobs := private.waiting_import(p_job_id);
    v_head jsonb := private.import_head(v_job, coalesce(p_options, '{}'));
begin
    if v_head ? 'problem' then
        perform private.refuse_mapping('options', v_head ->> 'problem');
    end if;
    return v_head - 'cells';
end
$$;
comment on function public.inspect_import(uuid, jsonb) is
    'The result of a waiting import as it would be with other options (encoding, delimiter, has_header). Errors: AUTH_003, JOB_001, JOB_002, JOB_004.';

-- How the lines are read, complete and checked.
create or replace function private.import_spec(p_job public.jobs, p_head jsonb, p_mapping jsonb, p_options jsonb)
returns jsonb
language plpgsql volatile
set search_path = ''
as $$
declare
    v_spec jsonb;
    v_problems jsonb;
    v_consent jsonb := nullif(p_options -> 'consent', 'null');
    v_tag_ids uuid[];
begin
    if jsonb_typeof(p_mapping) is distinct from 'array' or jsonb_typeof(p_options) is distinct from 'object' then
        perform private.refuse_mapping(null, 'The mapping must be a list and the options an object.');
    end if;
    if p_head ? 'problem' then
        perform private.refuse_mapping('options', p_head ->> 'problem');
    end if;
    if coalesce(p_options ->> 'duplicates', 'skip') not in ('skip', 'update') then
        perform private.refuse_mapping('duplicates', 'Existing contacts can be skipped or updated.');
    end if;
    begin
        select coalesce(array_agg(t::uuid), '{}') into v_tag_ids
        from jsonb_array_elements_text(coalesce(nullif(p_options -> 'tag_ids', 'null'), '[]')) t;
    exception when others then
        perform private.refuse_mapping('tag_ids', 'The tags must be a list of ids.');
    end;
    if exists (select from unnest(v_tag_ids) x left join public.tags t on t.id = x and t.org_id = p_job.org_id where t.id is null) then
        perform private.raise_error('TAG_001');
    end if;
    if v_consent is not null then
        perform private.check_consent(v_consent ->> 'status', coalesce(v_consent ->> 'source', 'import'), v_consent ->> 'evidence');
        v_consent := jsonb_build_object('status', v_consent ->> 'status', 'source', coalesce(v_consent ->> 'source', 'import'),
            'evidence', coalesce(nullif(btrim(v_consent ->> 'evidence'), ''), p_job.input ->> 'file_name'));
    end if;
    v_spec := jsonb_build_object(
        'columns', p_mapping,
        'encoding', p_head -> 'encoding', 'delimiter', p_head -> 'delimiter', 'sheet', p_head -> 'sheet', 'has_header', p_head -> 'has_header',
        'width', jsonb_array_length(p_head -> 'columns'), 'names', (select jsonb_agg(c ->> 'name') from jsonb_array_elements(p_head -> 'columns') c),
        'duplicates', coalesce(p_options ->> 'duplicates', 'skip'),
        'default_region', coalesce(p_options ->> 'default_region', (select o.country from public.organizations o where o.id = p_job.org_id), ''),
        'date_order', coalesce(p_options ->> 'date_order', 'dmy'),
        'custom_fields', private.import_definitions(p_job.org_id), 'tag_ids', to_jsonb(v_tag_ids), 'consent', v_consent);
    v_problems := octopush.check_import_spec(v_spec);
    if v_problems <> '[]' then
        perform private.raise_error('JOB_004', jsonb_build_object('problems', v_problems));
    end if;
    return v_spec;
end
$$;

create or replace function public.preview_import(p_job_id uuid, p_mapping jsonb, p_options jsonb default '{}')
returns jsonb
language plpgsql volatile security definer
set search_path = ''
as $$
declare
    v_job public.jobs := private.waiting_import(p_job_id);
    v_head jsonb := private.import_head(v_job, coalesce(p_options, '{}'));
    v_spec jsonb := private.import_spec(v_job, v_head, p_mapping, coalesce(p_options, '{}'));
begin
    return (
        select coalesce(jsonb_agg(jsonb_build_object('line', v_head -> 'lines' -> (r.number::integer - 1)) || octopush.read_import_row(v_spec,
            array(select c from jsonb_array_elements_text(r.cells) with ordinality x (c, at) order by at)) order by r.number), '[]')
        from jsonb_array_elements(v_head -> 'cells') with ordinality r (cells, number));
end
$$;
comment on function public.preview_import(uuid, jsonb, jsonb) is
    'The first ten rows as the import would read them. Errors: AUTH_003, JOB_001, JOB_002, JOB_004 (details.problems), TAG_001, CONTACT_007.';

create or replace function public.start_import(p_job_id uuid, p_mapping jsonb, p_options jsonb default '{}')
returns public.jobs
language plpgsql volatile security definer
set search_path = ''
as $$
declare
    v_job public.jobs := private.waiting_import(p_job_id);
    v_head jsonb := private.import_head(v_job, coalesce(p_options, '{}'));
    v_spec jsonb := private.import_spec(v_job, v_head, p_mapping, coalesce(p_options, '{}'));
begin
    update private.import_files set spec = v_spec where job_id = p_job_id;
    update public.jobs j set
        status = 'queued', done_count = 0, total_count = (v_head ->> 'rows_estimate')::bigint,
        input = j.input || jsonb_build_object('mapping', p_mapping, 'options', p_options)
    where j.id = p_job_id returning j.* into v_job;
    perform private.broadcast_job(v_job);
    return v_job;
end
$$;
comment on function public.start_import(uuid, jsonb, jsonb) is
    'Starts a waiting import; mapping and options as docs/contacts-and-segments.md says. Errors: AUTH_003, JOB_001, JOB_002, JOB_004 (details.problems), TAG_001, CONTACT_007.';
