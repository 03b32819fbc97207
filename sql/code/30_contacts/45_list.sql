-- Which contacts: selections and the list (PRD §5.3). Definer, because the operators of trigram search are not leakproof: behind a policy
-- they could not use their index. The organisation is checked first and leads every query.
-- Must stay true: values reach SQL as parameters only; the text that is executed consists of the literals below and of predicates made by
-- octopush.compile_segment. Parameters of every such query: $1 text[] values of the rules, $2 now, $3 organisation, $4 text[] patterns.

-- The rows a search, rules and the trash leave: source and conditions as text, with their values.
create or replace function private.contact_filter(
    p_org_id uuid, p_search text, p_rules jsonb, p_trash boolean, p_needs_contacts boolean
) returns private.contact_filter
language plpgsql stable
set search_path = ''
as $$
declare
    v_patterns jsonb := private.search_patterns(p_org_id, p_search);
    v_context jsonb;
    v_problems jsonb;
    v_column text := case when p_trash then '(private.contact_search_text(c.search_text, c.wa_id))' else 's.search_text' end;
    v_word jsonb;
    v_found text;
    v_filter private.contact_filter;
begin
    v_filter.patterns := '{}';
    if p_trash then
        v_filter.source := 'public.contacts c';
        v_filter.condition := 'c.org_id = $3 and c.deleted_at is not null and c.erased_at is null';
    elsif v_patterns is null and (p_needs_contacts or p_rules is not null) then
        v_filter.source := 'public.contacts c';
        v_filter.condition := 'c.org_id = $3 and c.deleted_at is null';
    else
        v_filter.source := 'private.contact_search s';
        v_filter.condition := 's.org_id = $3';
        if p_needs_contacts or p_rules is not null then
            v_filter.source := v_filter.source || ' join public.contacts c on c.org_id = s.org_id and c.id = s.contact_id and c.deleted_at is null';
        end if;
    end if;
    for v_word in select w.value from jsonb_array_elements(v_patterns) w loop
        select string_agg(format('%s like ($4)[%s]', v_column, cardinality(v_filter.patterns) + p.position), ' or ') into v_found
        from jsonb_array_elements_text(v_word) with ordinality p (pattern, position);
        v_filter.condition := v_filter.condition || ' and (' || v_found || ')';
        v_filter.patterns := v_filter.patterns || array(select p.value from jsonb_array_elements_text(v_word) p);
    end loop;
    if p_rules is not null and p_rules <> 'null' then
        -- What is in the trash is not in the search.
        v_context := private.segment_context(p_org_id) || jsonb_build_object('search', not p_trash);
        v_problems := octopush.check_segment(p_rules, v_context);
        if jsonb_array_length(v_problems) > 0 then
            perform private.raise_error('SEGMENT_002', jsonb_build_object('problems', v_problems));
        end if;
        select v_filter.condition || ' and (' || r.predicate || ')', r.params into v_filter.condition, v_filter.rule_values
        from octopush.compile_segment(p_rules, v_context, 1) r;
    end if;
    return v_filter;
end
$$;

create or replace function private.selected_contacts(p_org_id uuid, p_selection jsonb)
returns setof uuid
language plpgsql stable
set search_path = ''
as $$
declare
    v_filter private.contact_filter;
    v_except uuid[] := array[]::uuid[];
begin
    if p_selection is null or jsonb_typeof(p_selection) <> 'object'
        or exists (select from jsonb_object_keys(p_selection) k where k not in ('ids', 'search', 'rules', 'trash', 'except'))
        or (p_selection ? 'ids' and (select count(*) from jsonb_object_keys(p_selection)) > 1)
        or coalesce(jsonb_typeof(p_selection -> 'search') not in ('string', 'null'), false)
        or coalesce(jsonb_typeof(p_selection -> 'trash') not in ('boolean', 'null'), false)
        or coalesce(jsonb_typeof(p_selection -> 'rules') not in ('object', 'null'), false)
        or coalesce(jsonb_typeof(p_selection -> 'ids') <> 'array', false)
        or coalesce(jsonb_typeof(p_selection -> 'except') not in ('array', 'null'), false)
    then
        perform private.raise_error('CONTACT_012');
    end if;
    begin
        if p_selection ? 'ids' then
            return query
            select c.id from public.contacts c
            where c.org_id = p_org_id and c.erased_at is null
                and c.id = any (array(select x.value::uuid from jsonb_array_elements_text(p_selection -> 'ids') x));
            return;
        end if;
        if jsonb_typeof(p_selection -> 'except') = 'array' then
            v_except := array(select x.value::uuid from jsonb_array_elements_text(p_selection -> 'except') x);
        end if;
    exception when invalid_text_representation then
        perform private.raise_error('CONTACT_012');
    end;
    v_filter := private.contact_filter(p_org_id, p_selection ->> 'search', nullif(p_selection -> 'rules', 'null'),
        coalesce((p_selection ->> 'trash')::boolean, false), true);
    return query execute format('select c.id from %s where %s and c.id <> all ($5)', v_filter.source, v_filter.condition)
        using v_filter.rule_values, private.clock(), p_org_id, v_filter.patterns, v_except;
end
$$;
comment on function private.selected_contacts(uuid, jsonb) is
    'Resolves {"ids"} or {"search", "rules", "trash", "except"}. Ids of others are left out. The caller has checked who asks. Errors: CONTACT_012, SEGMENT_002.';

-- The page by a walk along an index of the sort: without sorts the planner can do nothing else, and whoever calls this knows that it will
-- soon have met enough contacts that match. It starts at the end that is nearer; where how many match is not known (null), at the beginning.
create or replace function private.walk_page(
    p_org_id uuid, p_filter private.contact_filter, p_key text, p_descending boolean, p_limit bigint, p_offset bigint, p_total bigint default null
) returns uuid[]
language plpgsql stable
set search_path = ''
set enable_sort = off
-- An Append that is not parallel keeps the order of its parts.
set max_parallel_workers_per_gather = 0
as $$
declare
    v_from_end boolean := coalesce(p_offset > p_total / 2, false);
    v_direction text := case when p_descending <> v_from_end then 'desc' else 'asc' end;
    v_named text := format('(select c.id from %s where %s and %s is not null order by %3$s %s, c.id %4$s)', p_filter.source, p_filter.condition,
        p_key, v_direction);
    v_unnamed text := format('(select c.id from %s where %s and %s is null order by c.id %s)', p_filter.source, p_filter.condition, p_key, v_direction);
    v_ids uuid[];
begin
    -- Contacts without the key come last whichever way the others are sorted.
    execute format('select array(%s limit $5 offset $6)', case
            when p_key = 'c.created_at' then v_named
            when v_from_end then v_unnamed || ' union all ' || v_named
            else v_named || ' union all ' || v_unnamed end)
        into v_ids using p_filter.rule_values, private.clock(), p_org_id, p_filter.patterns, p_limit,
            case when v_from_end then p_total - p_offset - p_limit else p_offset end;
    return case when v_from_end then array(select x.id from unnest(v_ids) with ordinality x (id, position) order by x.position desc) else v_ids end;
end
$$;

-- The page among the first contacts of the sort, short of it when too few of those match. A bounded look: common rules fill a page of a hundred
-- thousand contacts from the first few hundred, and rare ones lose two milliseconds here.
create or replace function private.probe_page(
    p_org_id uuid, p_filter private.contact_filter, p_key text, p_descending boolean, p_limit bigint, p_offset bigint
) returns uuid[]
language plpgsql stable
set search_path = ''
as $$
declare
    v_order text := format('%s %s, c.id %2$s', p_key, case when p_descending then 'desc' else 'asc' end);
    v_ids uuid[];
begin
    execute format('select array(
            select c.id from (
                select c.* from public.contacts c where c.org_id = $3 and c.deleted_at is null and %s is not null order by %s limit 2000
            ) c where %s order by %2$s limit $5 offset $6)', p_key, v_order, p_filter.condition)
        into v_ids using p_filter.rule_values, private.clock(), p_org_id, p_filter.patterns, p_limit, p_offset;
    return v_ids;
end
$$;

-- Everybody who matches, found once, counted and sorted.
create or replace function private.sort_page(
    p_org_id uuid, p_filter private.contact_filter, p_id text, p_key text, p_descending boolean, p_limit bigint, p_offset bigint,
    out total bigint, out ids uuid[]
)
language plpgsql stable
set search_path = ''
set work_mem = '16MB'
as $$
begin
    execute format('with matching as materialized (select %s as id, %s as key from %s where %s)
        select (select count(*) from matching), array(select m.id from matching m order by m.key %5$s nulls last, m.id %5$s limit $5 offset $6)',
        p_id, p_key, p_filter.source, p_filter.condition, case when p_descending then 'desc' else 'asc' end)
        into total, ids using p_filter.rule_values, private.clock(), p_org_id, p_filter.patterns, p_limit, p_offset;
end
$$;

-- Of a million contacts half may say "sdn bhd": nobody who types waits a quarter of a second for their exact number.
create or replace function private.search_count_limit()
returns integer
language sql immutable parallel safe
set search_path = ''
as $$ select 50000 $$;

create or replace function private.list_page(
    p_org_id uuid, p_search text, p_rules jsonb, p_trash boolean, p_key text, p_descending boolean, p_limit integer, p_offset bigint,
    out total bigint, out total_is_minimum boolean, out ids uuid[]
)
language plpgsql stable
set search_path = ''
as $$
declare
    v_filter private.contact_filter := private.contact_filter(p_org_id, p_search, p_rules, p_trash, p_trash);
    v_by_text_only boolean := v_filter.source = 'private.contact_search s';
    v_limit bigint;
    v_walk double precision;
    v_all double precision;
begin
    total_is_minimum := false;
    if p_rules is not null and v_filter.patterns = '{}' and not p_trash and p_limit + p_offset <= 1000 then
        ids := private.probe_page(p_org_id, v_filter, p_key, p_descending, p_limit, p_offset);
    end if;
    if p_rules is not null and coalesce(cardinality(ids), 0) < p_limit then
        select s.total, s.ids into total, ids
        from private.sort_page(p_org_id, v_filter, 'c.id', p_key, p_descending, p_limit, p_offset) s;
        return;
    end if;
    if v_by_text_only and v_filter.patterns <> '{}' then
        execute format('select count(*) from (select from %s where %s limit $5) x', v_filter.source, v_filter.condition)
            into total using v_filter.rule_values, private.clock(), p_org_id, v_filter.patterns, private.search_count_limit() + 1;
        if total > private.search_count_limit() then
            total := private.search_count_limit();
            total_is_minimum := true;
            ids := private.walk_page(p_org_id, private.contact_filter(p_org_id, p_search, null, false, true), p_key, p_descending,
                p_limit::bigint, p_offset);
            return;
        end if;
    else
        execute format('select count(*) from %s where %s', v_filter.source, v_filter.condition)
            into total using v_filter.rule_values, private.clock(), p_org_id, v_filter.patterns;
        if p_rules is not null then
            return;
        end if;
    end if;
    v_limit := least(p_limit::bigint, total - p_offset);
    if v_limit <= 0 then
        ids := '{}';
        return;
    end if;
    -- Contacts the walk meets until the page is full, if those that match are spread evenly.
    v_walk := (least(p_offset, total - p_offset - v_limit) + v_limit)::double precision;
    if v_filter.patterns <> '{}' then
        select greatest(k.reltuples, 1)::double precision into v_all from pg_catalog.pg_class k where k.oid = 'private.contact_search'::regclass;
        v_walk := v_walk * v_all / total::double precision;
    end if;
    if not p_trash and v_walk < total then
        ids := private.walk_page(p_org_id, private.contact_filter(p_org_id, p_search, null, false, true), p_key, p_descending, v_limit, p_offset, total);
    elsif v_by_text_only and p_key = 'c.created_at' then
        select s.ids into ids
        from private.sort_page(p_org_id, v_filter, 's.contact_id', 's.created_at', p_descending, v_limit, p_offset) s;
    else
        select s.ids into ids from private.sort_page(p_org_id, private.contact_filter(p_org_id, p_search, null, p_trash, true), 'c.id', p_key,
            p_descending, v_limit, p_offset) s;
    end if;
end
$$;

create or replace function public.list_contacts(
    p_org_id uuid,
    p_search text default null,
    p_rules jsonb default null,
    p_sort text default 'created_at',
    p_descending boolean default true,
    p_limit integer default 25,
    p_offset integer default 0,
    p_trash boolean default false
) returns jsonb
language plpgsql stable security definer
set search_path = ''
as $$
declare
    v_page record;
    v_key text := case p_sort when 'name' then 'lower(c.full_name)' when 'last_message_at' then 'c.last_message_at'
        when 'created_at' then 'c.created_at' when 'phone' then 'c.phone' end;
begin
    perform private.require_permission(p_org_id, case when p_trash then 'contacts.trash' else 'read' end);
    if v_key is null then
        perform private.raise_error('CONTACT_007', '{"field": "sort"}');
    end if;
    v_page := private.list_page(p_org_id, p_search, nullif(p_rules, 'null'), coalesce(p_trash, false), v_key, coalesce(p_descending, true),
        least(greatest(coalesce(p_limit, 25), 1), 200), greatest(coalesce(p_offset, 0), 0));
    return jsonb_build_object('total', v_page.total, 'total_is_minimum', v_page.total_is_minimum, 'contacts', coalesce((
        select jsonb_agg(to_jsonb(c) - 'search_text' || jsonb_build_object('tags', coalesce((
            select jsonb_agg(jsonb_build_object('id', t.id, 'name', t.name, 'color', t.color) order by lower(t.name))
            from public.contact_tags ct join public.tags t on t.id = ct.tag_id
            where ct.org_id = p_org_id and ct.contact_id = c.id), '[]')) order by p.position)
        from unnest(v_page.ids) with ordinality p (id, position)
        join public.contacts c on c.id = p.id), '[]'));
end
$$;
comment on function public.list_contacts(uuid, text, jsonb, text, boolean, integer, integer, boolean) is
    'p_search: words of name, phone in any notation, e-mail, company, user name; p_rules: a segment''s; p_sort: name | last_message_at | created_at | phone, contacts without it last; p_limit at most 200 → {"total", "total_is_minimum", "contacts"}; the total is exact up to 50,000, above that a search without rules only says that there are at least as many. Errors: AUTH_002, AUTH_003, ORG_001, CONTACT_007, SEGMENT_002 (details.problems).';
