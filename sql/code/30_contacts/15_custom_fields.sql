-- Fields that an organisation adds to its contacts, and the values in contacts.custom_fields (design §6). Managed in the settings.
-- Must stay true: a key never changes and never names two fields; at most 100 fields are not archived; a stored value was accepted by
-- octopush.check_custom_value; what is archived keeps its values and takes no new ones.

create or replace function private.custom_field_for(p_id uuid)
returns public.custom_field_definitions
language plpgsql volatile
set search_path = ''
as $$
declare
    v_field public.custom_field_definitions;
begin
    -- Serialises changes of the fields of an organisation, or two people could both see 99.
    perform from public.organizations o
    where o.id = (select d.org_id from public.custom_field_definitions d where d.id = p_id and d.org_id = any (private.my_org_ids())) for no key update;
    select d.* into v_field from public.custom_field_definitions d where d.id = p_id and d.org_id = any (private.my_org_ids()) for no key update;
    if not found then
        perform private.raise_error('FIELD_001');
    end if;
    perform private.require_permission(v_field.org_id, 'settings.manage');
    return v_field;
end
$$;

create or replace function private.check_custom_field_room(p_org_id uuid)
returns void
language plpgsql stable
set search_path = ''
as $$
begin
    if (select count(*) from public.custom_field_definitions d where d.org_id = p_org_id and d.archived_at is null) >= 100 then
        perform private.raise_error('FIELD_002', '{"limit": 100}');
    end if;
end
$$;

-- The options as they are kept: trimmed, in their order. Refused when one is empty, long or there twice, whatever its case.
create or replace function private.custom_field_options(p_type text, p_options text[])
returns text[]
language plpgsql stable
set search_path = ''
as $$
declare
    v_options text[] := array(select btrim(x.o) from unnest(p_options) with ordinality x (o, position) order by x.position);
begin
    if (p_type in ('choice', 'multi_choice')) <> (cardinality(v_options) > 0) or cardinality(v_options) > 100
        or array_position(v_options, null) is not null
        or exists (select from unnest(v_options) o where length(o) not between 1 and 100)
        or (select count(distinct lower(o)) from unnest(v_options) o) <> cardinality(v_options) then
        perform private.raise_error('FIELD_003', '{"part": "options"}');
    end if;
    return v_options;
end
$$;

-- A key for people to recognise: letters and digits of the label, numbered when another field has it.
create or replace function private.custom_field_key(p_org_id uuid, p_label text)
returns text
language sql stable
set search_path = ''
as $$
    with made as (
        select left(case when k ~ '^[a-z]' then k when k = '' then 'field' else 'field_' || k end, 40) as key
        from btrim(regexp_replace(lower(extensions.unaccent(p_label)), '[^a-z0-9]+', '_', 'g'), '_') k
    )
    select m.key || case when n > 1 then '_' || n else '' end
    from made m, generate_series(1, 1000) n
    where not exists (
        select from public.custom_field_definitions d where d.org_id = p_org_id and d.key = m.key || case when n > 1 then '_' || n else '' end)
    order by n limit 1
$$;

create or replace function public.create_custom_field(p_org_id uuid, p_label text, p_type text, p_options text[] default '{}', p_key text default null)
returns public.custom_field_definitions
language plpgsql volatile security definer
set search_path = ''
as $$
declare
    v_field public.custom_field_definitions;
begin
    perform private.require_permission(p_org_id, 'settings.manage');
    perform from public.organizations o where o.id = p_org_id for no key update;
    perform private.check_custom_field_room(p_org_id);
    if p_type is null or p_type not in ('text', 'number', 'date', 'boolean', 'choice', 'multi_choice') then
        perform private.raise_error('FIELD_003', '{"part": "type"}');
    end if;
    if p_key !~ '^[a-z][a-z0-9_]{0,49}$' then
        perform private.raise_error('FIELD_003', '{"part": "key"}');
    end if;
    if coalesce(btrim(p_label), '') = '' or length(btrim(p_label)) > 80 then
        perform private.raise_error('FIELD_003', '{"part": "label"}');
    end if;
    begin
        insert into public.custom_field_definitions (org_id, key, label, type, options, position)
        values (p_org_id, coalesce(p_key, private.custom_field_key(p_org_id, p_label)), btrim(p_label), p_type,
            private.custom_field_options(p_type, coalesce(p_options, '{}')),
            (select coalesce(max(d.position) + 1, 0) from public.custom_field_definitions d where d.org_id = p_org_id))
        returning * into v_field;
    exception when unique_violation then
        perform private.raise_error('FIELD_004');
    end;
    perform private.broadcast('org:' || p_org_id, 'contacts', '{"all": true}');
    return v_field;
end
$$;
comment on function public.create_custom_field(uuid, text, text, text[], text) is
    'p_type: text | number | date | boolean | choice | multi_choice; p_options for the choices; p_key (a-z, 0-9, _) is made from the label when null. Errors: AUTH_003, ORG_001, FIELD_002 (100), FIELD_003 (details.part), FIELD_004.';

create or replace function public.update_custom_field(p_id uuid, p_label text default null, p_options text[] default null, p_position integer default null)
returns public.custom_field_definitions
language plpgsql volatile security definer
set search_path = ''
as $$
declare
    v_field public.custom_field_definitions := private.custom_field_for(p_id);
begin
    if btrim(p_label) = '' or length(btrim(p_label)) > 80 then
        perform private.raise_error('FIELD_003', '{"part": "label"}');
    end if;
    begin
        update public.custom_field_definitions d set
            label = coalesce(btrim(p_label), d.label), position = coalesce(p_position, d.position), updated_at = clock_timestamp(),
            options = case when p_options is null then d.options else private.custom_field_options(d.type, p_options) end
        where d.id = p_id returning d.* into v_field;
    exception when unique_violation then
        perform private.raise_error('FIELD_004');
    end;
    perform private.broadcast('org:' || v_field.org_id, 'contacts', '{"all": true}');
    return v_field;
end
$$;
comment on function public.update_custom_field(uuid, text, text[], integer) is
    'null leaves as it is; values with an option that is taken away stay until they are edited. Errors: AUTH_003, FIELD_001, FIELD_003 (details.part), FIELD_004.';

create or replace function public.archive_custom_field(p_id uuid)
returns public.custom_field_definitions
language plpgsql volatile security definer
set search_path = ''
as $$
declare
    v_field public.custom_field_definitions := private.custom_field_for(p_id);
begin
    update public.custom_field_definitions d set archived_at = coalesce(d.archived_at, now()), updated_at = clock_timestamp()
    where d.id = p_id returning d.* into v_field;
    perform private.broadcast('org:' || v_field.org_id, 'contacts', '{"all": true}');
    return v_field;
end
$$;
comment on function public.archive_custom_field(uuid) is 'Values stay, new ones are refused. Errors: AUTH_003, FIELD_001.';

create or replace function public.restore_custom_field(p_id uuid)
returns public.custom_field_definitions
language plpgsql volatile security definer
set search_path = ''
as $$
declare
    v_field public.custom_field_definitions := private.custom_field_for(p_id);
begin
    if v_field.archived_at is null then
        return v_field;
    end if;
    perform private.check_custom_field_room(v_field.org_id);
    begin
        update public.custom_field_definitions d set archived_at = null, updated_at = clock_timestamp() where d.id = p_id returning d.* into v_field;
    exception when unique_violation then
        perform private.raise_error('FIELD_004');
    end;
    perform private.broadcast('org:' || v_field.org_id, 'contacts', '{"all": true}');
    return v_field;
end
$$;
comment on function public.restore_custom_field(uuid) is 'Errors: AUTH_003, FIELD_001, FIELD_002, FIELD_004.';

-- p_present with the given keys changed; null clears. Errors name the field and what is wrong with its value.
create or replace function private.change_custom_values(p_org_id uuid, p_present jsonb, p_given jsonb)
returns jsonb
language plpgsql stable
set search_path = ''
as $$
declare
    v_value record;
    v_checked jsonb;
begin
    if jsonb_typeof(p_given) <> 'object' then
        perform private.raise_error('CONTACT_007', '{"field": "custom_fields"}');
    end if;
    for v_value in
        select g.key, g.value, d.id, d.archived_at,
            jsonb_build_object('key', d.key, 'label', d.label, 'type', d.type, 'options', d.options) as definition
        from jsonb_each(p_given) g
        left join public.custom_field_definitions d on d.org_id = p_org_id and d.key = g.key
    loop
        if v_value.value = 'null' then
            p_present := p_present - v_value.key;
            continue;
        end if;
        v_checked := case
            when v_value.id is null then '{"problem": "There is no such field."}'
            when v_value.archived_at is null then octopush.check_custom_value(v_value.definition, v_value.value)
            -- A form may send back what it was shown.
            when p_present -> v_value.key is distinct from v_value.value then '{"problem": "The field is archived."}'
            else jsonb_build_object('value', v_value.value) end;
        if v_checked ? 'problem' then
            perform private.raise_error('CONTACT_007', jsonb_build_object('field', 'custom.' || v_value.key, 'problem', v_checked -> 'problem'));
        end if;
        p_present := case when v_checked -> 'value' = 'null' then p_present - v_value.key
            else p_present || jsonb_build_object(v_value.key, v_checked -> 'value') end;
    end loop;
    return p_present;
end
$$;
