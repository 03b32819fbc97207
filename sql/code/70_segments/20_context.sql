-- What the rules library needs to know of an organisation and of a contact. Called by everything in this folder.
-- Must stay true: archived custom fields stay in the context, so that rules naming them keep working on the values that are kept; only
-- the catalogue, from which new rules are made, leaves them out.

create or replace function private.segment_context(p_org_id uuid)
returns jsonb
language sql stable
set search_path = ''
as $$
    select jsonb_build_object('org_id', o.id, 'search', true, 'time_zone', o.time_zone, 'custom_fields', coalesce((
        select jsonb_agg(jsonb_build_object('key', d.key, 'label', d.label, 'type', d.type, 'options', d.options) order by d.key)
        from public.custom_field_definitions d where d.org_id = o.id), '[]'))
    from public.organizations o where o.id = p_org_id
$$;

-- With the names that sentences use, and the time. Flows will add theirs.
create or replace function private.segment_context_with_names(p_org_id uuid)
returns jsonb
language sql volatile
set search_path = ''
as $$
    select private.segment_context(p_org_id) || jsonb_build_object('now', private.clock()::text, 'names', coalesce((
        select jsonb_object_agg(n.id, n.name) from (
            select t.id, t.name from public.tags t where t.org_id = p_org_id
            union all
            select s.id, s.name from public.segments s where s.org_id = p_org_id
            union all
            select k.id, k.name from public.campaigns k where k.org_id = p_org_id
        ) n), '{}'))
$$;

create or replace function private.segment_facts(p_contact_ids uuid[])
returns table (contact_id uuid, facts jsonb)
language sql stable
set search_path = ''
as $$
    select c.id, jsonb_build_object(
        'contact', to_jsonb(c) - 'search_text',
        'tags', coalesce((select jsonb_agg(t.tag_id order by t.tag_id) from public.contact_tags t
            where t.org_id = c.org_id and t.contact_id = c.id), '[]'),
        'segments', coalesce((select jsonb_agg(m.segment_id order by m.segment_id) from public.segment_members m
            where m.org_id = c.org_id and m.contact_id = c.id), '[]'),
        'has_conversation', exists (select from public.conversations v where v.org_id = c.org_id and v.contact_id = c.id),
        'has_active_conversation', exists (select from public.conversations v
            where v.org_id = c.org_id and v.contact_id = c.id and v.status in ('open', 'pending')),
        'campaigns', coalesce((select jsonb_agg(jsonb_build_object('id', r.campaign_id, 'received', r.received_at is not null,
                'read', r.read_at is not null, 'replied', r.replied_at is not null, 'clicked', r.clicked_at is not null))
            from private.campaign_reactions r where r.org_id = c.org_id and r.contact_id = c.id), '[]'),
        'flows', coalesce((select jsonb_agg(jsonb_build_object('id', r.flow_id, 'in_progress', r.in_progress, 'completed', r.completed))
            from (
                select f.flow_id, bool_or(f.status = 'in_progress') as in_progress, bool_or(f.status = 'completed') as completed
                from private.flow_runs f where f.org_id = c.org_id and f.contact_id = c.id group by f.flow_id
            ) r), '[]'))
    from public.contacts c where c.id = any (p_contact_ids)
$$;
comment on function private.segment_facts(uuid[]) is 'Everything rules can ask about contacts, in the shape octopush.explain_segment takes.';

-- Leaves with their place in the rules, of rules that octopush.check_segment found right.
create or replace function private.rule_leaves(p_rules jsonb)
returns table (path text, field text, value jsonb)
language sql immutable
set search_path = ''
as $$
    with recursive nodes as (
        select '' as path, p_rules as node
        union all
        select n.path || '/' || g.key || '/' || (e.nth - 1), e.value
        from nodes n, jsonb_each(case when n.node ? 'field' then '{}' else n.node end) g,
            jsonb_array_elements(g.value) with ordinality as e (value, nth)
    )
    select n.path, n.node ->> 'field', n.node -> 'value' from nodes n where n.node ? 'field'
$$;

-- What is wrong with rules that somebody wants to use now: as the library sees it, and what they name that is not there.
create or replace function private.rule_problems(p_org_id uuid, p_rules jsonb)
returns jsonb
language plpgsql stable
set search_path = ''
as $$
declare
    v_problems jsonb := octopush.check_segment(coalesce(p_rules, 'null'), private.segment_context(p_org_id));
begin
    if v_problems <> '[]' then
        return v_problems;
    end if;
    return coalesce((
        with named as materialized (
            select l.path, l.field, x.id::uuid as id from private.rule_leaves(p_rules) l
            cross join lateral jsonb_array_elements_text(case jsonb_typeof(l.value) when 'array' then l.value else jsonb_build_array(l.value) end) x (id)
            where l.field in ('tags', 'segment') and l.value is not null
        )
        select jsonb_agg(distinct jsonb_build_object('path', n.path || '/value', 'code', 'wrong_value',
            'message', case n.field when 'tags' then 'This tag does not exist any more' else 'This segment does not exist any more' end))
        from named n
        where case n.field
            when 'tags' then not exists (select from public.tags t where t.org_id = p_org_id and t.id = n.id)
            else not exists (select from public.segments s where s.org_id = p_org_id and s.id = n.id) end
    ), '[]');
end
$$;
