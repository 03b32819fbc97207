-- What a person writes into a template, and what is wrong with it. Called by create, update and check.
-- Must stay true: a draft may be incomplete, what is stored is never malformed; problems all have {path, severity, code, message}.

create or replace function private.template_problem(p_path text, p_code text, p_message text)
returns jsonb
language sql immutable
set search_path = ''
as $$ select jsonb_build_object('path', p_path, 'severity', 'error', 'code', p_code, 'message', p_message) $$;

create or replace function private.refuse_template(p_path text, p_code text, p_message text)
returns void
language plpgsql stable
set search_path = ''
as $$
begin
    perform private.raise_error('TEMPLATE_004', jsonb_build_object('problems', jsonb_build_array(private.template_problem(p_path, p_code, p_message))));
end
$$;

-- Of an organisation that has one number or several of the same account there is nothing to choose.
create or replace function private.default_waba(p_org_id uuid)
returns text
language sql stable
set search_path = ''
as $$
    select a.waba_id from public.whatsapp_accounts a where a.org_id = p_org_id and a.is_receiving order by a.status = 'connected' desc, a.created_at limit 1
$$;

create or replace function private.is_own_waba(p_org_id uuid, p_waba_id text)
returns boolean
language sql stable
set search_path = ''
as $$ select exists (select from public.whatsapp_accounts a where a.org_id = p_org_id and a.waba_id = p_waba_id and a.is_receiving) $$;

create or replace function private.check_template_parts(p_org_id uuid, p_template public.templates)
returns void
language plpgsql stable
set search_path = ''
as $$
declare
    v_part record;
begin
    -- 6,000 templates of the largest size Meta would take are some 100 MB: enough for all, and a bound.
    if length(p_template.components::text) > 60000 then
        perform private.refuse_template('/components', 'too_long', 'This is more than WhatsApp takes');
    end if;
    for v_part in select c.value, c.position - 1 as position from jsonb_array_elements(p_template.components) with ordinality c (value, position) loop
        if jsonb_typeof(v_part.value) <> 'object' or coalesce(v_part.value ->> 'type', '') !~ '^[A-Z_]{1,40}$' then
            perform private.refuse_template('/components/' || v_part.position, 'malformed', 'A part needs a type');
        end if;
        if (v_part.value ? 'buttons' and jsonb_typeof(v_part.value -> 'buttons') <> 'array')
            or (v_part.value ? 'cards' and jsonb_typeof(v_part.value -> 'cards') <> 'array') then
            perform private.refuse_template('/components/' || v_part.position, 'malformed', 'Buttons and cards are lists');
        end if;
        if exists (select from jsonb_array_elements(v_part.value -> 'cards') k where v_part.value ? 'cards' and jsonb_typeof(k.value -> 'components') is distinct from 'array')
            or exists (select from jsonb_array_elements(v_part.value -> 'buttons') b where v_part.value ? 'buttons' and jsonb_typeof(b.value) <> 'object') then
            perform private.refuse_template('/components/' || v_part.position, 'malformed', 'Buttons and cards are objects');
        end if;
    end loop;
    for v_part in select c.path, c.component from private.all_components(p_template.components) c where c.component ? 'media' loop
        if coalesce(v_part.component #>> '{media,path}', '') !~ ('^' || p_org_id || '/[0-9a-f-]{36}/[^/]{1,200}$')
            or coalesce(v_part.component #>> '{media,mime}', '') !~ '^[a-z]+/[a-z0-9.+-]{1,100}$' then
            perform private.refuse_template(v_part.path || '/media', 'wrong_file', 'The file is not one of this organisation');
        end if;
    end loop;
    for v_part in select l.key, l.value from jsonb_each(p_template.links) l loop
        if v_part.key !~ '^[0-9]$' or jsonb_typeof(v_part.value) <> 'string' then
            perform private.refuse_template('/links', 'malformed', 'A tracked button has a place and a destination');
        end if;
        if private.destination_problem(v_part.value #>> '{}') is not null then
            perform private.refuse_template('/links/' || v_part.key, 'wrong_link', private.destination_problem(v_part.value #>> '{}'));
        end if;
    end loop;
end
$$;

-- Turns the form's JSON into a row, keeping what p_base has for keys that are absent.
create or replace function private.merge_template_fields(p_base public.templates, p_fields jsonb)
returns public.templates
language plpgsql stable
set search_path = ''
as $$
declare
    v_key text;
begin
    if p_fields is null or jsonb_typeof(p_fields) <> 'object' then
        perform private.refuse_template('', 'malformed', 'Fields are an object');
    end if;
    for v_key in select jsonb_object_keys(p_fields) loop
        if v_key not in ('waba_id', 'name', 'language', 'category', 'parameter_format', 'components', 'links') then
            perform private.refuse_template('/' || v_key, 'unknown_field', 'There is no such field');
        end if;
        if jsonb_typeof(p_fields -> v_key) <> (case v_key when 'components' then 'array' when 'links' then 'object' else 'string' end) then
            perform private.refuse_template('/' || v_key, 'malformed', 'This has the wrong kind');
        end if;
    end loop;
    p_base := jsonb_populate_record(p_base, p_fields);
    if p_base.waba_id is null then
        perform private.raise_error('WA_006');
    end if;
    if p_fields ? 'waba_id' and not private.is_own_waba(p_base.org_id, p_base.waba_id) then
        perform private.refuse_template('/waba_id', 'unknown', 'This WhatsApp account is not connected');
    end if;
    if coalesce(p_base.name, '') !~ '^[a-z0-9_]+$' or length(p_base.name) > 512 then
        perform private.refuse_template('/name', 'wrong_name', 'A name has 1 to 512 small letters, digits and underscores');
    end if;
    if coalesce(p_base.language, '') !~ '^[A-Za-z]{2,3}(_[A-Za-z]{2,4})?$' then
        perform private.refuse_template('/language', 'wrong_language', 'This is no language of WhatsApp');
    end if;
    if coalesce(p_base.category, '') not in ('marketing', 'utility', 'authentication') then
        perform private.refuse_template('/category', 'wrong_category', 'A template is marketing, utility or authentication');
    end if;
    if coalesce(p_base.parameter_format, '') not in ('positional', 'named') then
        perform private.refuse_template('/parameter_format', 'wrong_format', 'Variables are positional or named');
    end if;
    perform private.check_template_parts(p_base.org_id, p_base);
    return p_base;
end
$$;

-- Meta keeps the name of a deleted template that was approved for 30 days (reference/whatsapp.md §8.1).
create or replace function private.name_free_at(p_template public.templates)
returns timestamptz
language sql stable
set search_path = ''
as $$
    select max(t.deleted_at) + interval '30 days' from public.templates t
    where t.org_id = p_template.org_id and t.waba_id = p_template.waba_id and t.name = p_template.name and t.language = p_template.language
        and t.wa_template_id is not null and t.reviewed_at is not null and t.rejected_reason is null and t.deleted_at > private.clock() - interval '30 days'
$$;

create or replace function private.is_name_taken(p_template public.templates)
returns boolean
language sql stable
set search_path = ''
as $$
    select exists (
        select from public.templates t
        where t.org_id = p_template.org_id and t.waba_id = p_template.waba_id and t.name = p_template.name and t.language = p_template.language
            and t.deleted_at is null and t.id is distinct from p_template.id)
$$;

create or replace function public.check_template(p_org_id uuid, p_fields jsonb)
returns jsonb
language plpgsql stable security definer
set search_path = ''
as $$
declare
    v_template public.templates;
    v_problems jsonb;
begin
    perform private.require_permission(p_org_id, 'campaigns.manage');
    v_template.org_id := p_org_id;
    if jsonb_typeof(p_fields) = 'object' then
        begin
            v_template.id := (p_fields ->> 'id')::uuid;
        exception when invalid_text_representation then
            perform private.refuse_template('/id', 'malformed', 'This is no id');
        end;
        p_fields := p_fields - 'id';
    end if;
    v_template.waba_id := private.default_waba(p_org_id);
    v_template.language := 'en_US';
    v_template.category := 'marketing';
    v_template.parameter_format := 'positional';
    v_template.components := '[]';
    v_template.links := '{}';
    v_template := private.merge_template_fields(v_template, p_fields);
    v_problems := octopush.check_template(private.template_shape(v_template));
    if private.is_name_taken(v_template) then
        v_problems := private.template_problem('/name', 'name_taken', 'There is a template of this name in this language already') || v_problems;
    elsif private.name_free_at(v_template) is not null then
        v_problems := private.template_problem('/name', 'name_blocked', 'WhatsApp keeps the name of a deleted template for 30 days') || v_problems;
    end if;
    return v_problems;
end
$$;
comment on function public.check_template(uuid, jsonb) is
    'p_fields: create_template''s, and "id" of the template they are for → [{path, severity error|warning, code, message}]: what Meta refuses, and what it often rejects. Errors: AUTH_003, ORG_001, TEMPLATE_004 (details.problems, when the fields are malformed), WA_006.';
