-- What people ask about segments. Called by the web UI, and by admins in psql: select * from segment_members('…').
-- Must stay true: read-only; members of the organisation see their own, roles above row-level security see all.

create or replace function public.preview_segment(p_org_id uuid, p_rules jsonb)
returns jsonb
language plpgsql volatile security definer
set search_path = ''
as $$
declare
    v_problems jsonb;
    v_context jsonb;
    v_program record;
    v_found record;
begin
    perform private.require_segment_reader(p_org_id);
    v_problems := private.rule_problems(p_org_id, p_rules);
    if v_problems <> '[]' then
        return jsonb_build_object('count', null, 'contacts', '[]'::jsonb, 'sentence', '', 'problems', v_problems);
    end if;
    v_context := private.segment_context_with_names(p_org_id);
    select p.predicate, p.params into v_program from octopush.compile_segment(p_rules, v_context, 1) p;
    select f.total, f.newest into v_found
    from private.count_matching_contacts(p_org_id, v_program.predicate, v_program.params, private.clock()) f;
    return jsonb_build_object('count', v_found.total, 'sentence', octopush.segment_sentence(p_rules, v_context), 'problems', v_problems,
        'contacts', coalesce((
            select jsonb_agg(to_jsonb(c) - 'search_text' order by n.nth)
            from unnest(v_found.newest) with ordinality as n (id, nth) join public.contacts c on c.id = n.id), '[]'));
end
$$;
comment on function public.preview_segment(uuid, jsonb) is
    'How many contacts match rules that are still being written, and the newest ten. Rules that are not valid yet come back with problems. Errors: AUTH_002, ORG_001.';

create or replace function public.segment_usage(p_id uuid)
returns jsonb
language plpgsql stable security definer
set search_path = ''
as $$
declare
    v_segment public.segments := private.segment_to_read(p_id);
begin
    return coalesce((select jsonb_agg(to_jsonb(u) order by u.kind, u.name) from private.segment_users(v_segment.id) u), '[]');
end
$$;
comment on function public.segment_usage(uuid) is '[{kind, id, name}]: what keeps it from being deleted. Errors: SEGMENT_001.';

create or replace function public.segment_catalog(p_org_id uuid)
returns jsonb
language plpgsql stable security definer
set search_path = ''
as $$
begin
    perform private.require_segment_reader(p_org_id);
    return octopush.segment_catalog(private.segment_context(p_org_id) || jsonb_build_object('custom_fields', coalesce((
        select jsonb_agg(jsonb_build_object('key', d.key, 'label', d.label, 'type', d.type, 'options', d.options) order by d.position, d.label)
        from public.custom_field_definitions d where d.org_id = p_org_id and d.archived_at is null), '[]')));
end
$$;
comment on function public.segment_catalog(uuid) is 'The fields rules can ask, with their operators. Errors: AUTH_002, ORG_001.';

create or replace function public.segment_sentence(p_id uuid)
returns text
language plpgsql volatile security definer
set search_path = ''
as $$
declare
    v_segment public.segments := private.segment_to_read(p_id);
begin
    return case v_segment.kind when 'static' then 'Contacts on a list'
        else octopush.segment_sentence(v_segment.rules, private.segment_context_with_names(v_segment.org_id)) end;
end
$$;
comment on function public.segment_sentence(uuid) is 'The rules in words. Errors: SEGMENT_001.';

create or replace function public.segment_summaries(p_org_id uuid)
returns jsonb
language plpgsql volatile security definer
set search_path = ''
as $$
declare
    v_context jsonb;
begin
    perform private.require_segment_reader(p_org_id);
    v_context := private.segment_context_with_names(p_org_id);
    return coalesce((
        select jsonb_agg(jsonb_build_object('id', s.id,
            'sentence', case s.kind when 'dynamic' then octopush.segment_sentence(s.rules, v_context) end,
            'used_by', coalesce((select jsonb_agg(to_jsonb(u) order by u.kind, u.name) from private.segment_users(s.id) u), '[]')))
        from public.segments s where s.org_id = p_org_id), '[]');
end
$$;
comment on function public.segment_summaries(uuid) is
    '[{id, sentence (null for static ones), used_by: [{kind, id, name}]}] of every segment, at most 200: what a list shows beside each. Errors: AUTH_002, ORG_001.';

create or replace function public.explain_segment(p_segment_id uuid, p_contact_id uuid)
returns jsonb
language plpgsql volatile security definer
set search_path = ''
as $$
declare
    v_segment public.segments := private.segment_to_read(p_segment_id);
    v_facts jsonb;
    v_pin text;
    v_explanation jsonb;
begin
    select f.facts into v_facts from private.segment_facts(array(
        select c.id from public.contacts c
        where c.org_id = v_segment.org_id and c.id = p_contact_id
            -- An explanation tells the contact's values, as its row does.
            and (c.deleted_at is null or private.is_database_admin() or c.org_id = any (private.my_orgs_with('contacts.trash'))))) f;
    if not found then
        perform private.raise_error('CONTACT_001');
    end if;
    select p.kind into v_pin from public.segment_pins p where p.segment_id = p_segment_id and p.contact_id = p_contact_id;
    v_explanation := case v_segment.kind
        -- A list has no rules: nobody is in it by them.
        when 'static' then '{"path": "", "is_true": false, "match": "any", "children": [], "flip": null}'::jsonb
        else octopush.explain_segment(v_segment.rules, v_facts, private.segment_context_with_names(v_segment.org_id)) end;
    return v_explanation || jsonb_build_object('pin', v_pin, 'is_member', exists (
        select from public.segment_members m where m.segment_id = p_segment_id and m.contact_id = p_contact_id));
end
$$;
comment on function public.explain_segment(uuid, uuid) is
    'Why a contact is in a segment or not: the rules with the truth and the value of each, the smallest change that would turn it, is_member, pin. '
    'Errors: CONTACT_001, SEGMENT_001.';

create or replace function public.contact_segments(p_contact_id uuid)
returns jsonb
language plpgsql stable security definer
set search_path = ''
as $$
declare
    v_org_id uuid;
begin
    select c.org_id into v_org_id from public.contacts c
    where c.id = p_contact_id and (private.is_database_admin() or c.org_id = any (private.my_org_ids()));
    if not found then
        perform private.raise_error('CONTACT_001');
    end if;
    return coalesce((
        select jsonb_agg(jsonb_build_object('id', s.id, 'name', s.name, 'kind', s.kind, 'is_member', m.contact_id is not null, 'pin', p.kind)
            order by lower(s.name))
        from public.segments s
        left join public.segment_members m on m.segment_id = s.id and m.contact_id = p_contact_id
        left join public.segment_pins p on p.segment_id = s.id and p.contact_id = p_contact_id
        where s.org_id = v_org_id), '[]');
end
$$;
comment on function public.contact_segments(uuid) is 'Every segment of the organisation: [{id, name, kind, is_member, pin}]. Errors: CONTACT_001.';

create or replace function public.segment_members(p_segment_id uuid, p_limit integer default 50, p_after uuid default null)
returns setof public.contacts
language plpgsql stable security definer
set search_path = ''
as $$
declare
    v_segment public.segments := private.segment_to_read(p_segment_id);
begin
    -- Ids begin with the time they were made at (UUID version 7): the primary key already has the newest first.
    return query
    select c.*
    from public.segment_members m join public.contacts c on c.id = m.contact_id
    where m.segment_id = v_segment.id and m.contact_id < coalesce(p_after, 'ffffffff-ffff-ffff-ffff-ffffffffffff') and c.deleted_at is null
    order by m.contact_id desc limit least(greatest(p_limit, 0), 1000);
end
$$;
comment on function public.segment_members(uuid, integer, uuid) is
    'Members, the newest contact first, at most 1000 a page; p_after: the id of the last contact seen. Errors: SEGMENT_001.';

create or replace function public.segment_sql(p_segment_id uuid)
returns text
language plpgsql volatile security definer
set search_path = ''
as $$
declare
    v_segment public.segments := private.segment_to_read(p_segment_id);
    v_program private.segment_programs;
    v_predicate text;
begin
    select p.* into v_program from private.segment_programs p where p.segment_id = p_segment_id;
    -- In one pass: a value that looks like a parameter stays a value.
    select string_agg(replace(t.text, '$2', quote_literal(private.clock()) || '::timestamptz') || coalesce(k.value, ''), '' order by t.position)
    into v_predicate
    from regexp_split_to_table(coalesce(v_program.predicate, 'false'), '\(\$1\)\[[0-9:]+\]') with ordinality as t (text, position)
    left join (
        select x.position, case
            when x.m[2] is null then quote_literal(v_program.params[x.m[1]::integer]) || '::text'
            else quote_literal(v_program.params[x.m[1]::integer:x.m[2]::integer]) || '::text[]' end as value
        from regexp_matches(v_program.predicate, '\(\$1\)\[(\d+)(?::(\d+))?\]', 'g') with ordinality as x (m, position)
    ) k on k.position = t.position;
    return format(E'select c.*\nfrom public.contacts c\nwhere c.org_id = %L and c.deleted_at is null and c.erased_at is null\n    and (((%s)\n'
        '            and not exists (select from public.segment_pins p where p.segment_id = %L and p.contact_id = c.id and p.kind = ''exclude''))\n'
        '        or exists (select from public.segment_pins p where p.segment_id = %L and p.contact_id = c.id and p.kind = ''include''))',
        v_segment.org_id, v_predicate, p_segment_id, p_segment_id);
end
$$;
comment on function public.segment_sql(uuid) is 'The compiled segment as a query that can be run as it stands. Errors: SEGMENT_001.';

create or replace function public.segment_plan(p_segment_id uuid)
returns setof text
language sql volatile security definer
set search_path = ''
as $$ select private.explain_plan(public.segment_sql(p_segment_id)) $$;
comment on function public.segment_plan(uuid) is 'How the database would run that query. Errors: SEGMENT_001.';
