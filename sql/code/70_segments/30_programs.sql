-- Compiled rules: one program a dynamic segment, and the programs of a level together as one expression.
-- Called under private.lock_segments, by the RPCs of 70_segments.sql and by the maintenance.
-- Must stay true: a program is above all programs whose segments it names; the statements are made from the present programs;
-- rules that no longer compile (the library or a definition changed) match nobody and stand in the way of nothing.

-- Whoever changes segments, their pins or their members holds this until the end of the transaction; taken before any row.
create or replace function private.segment_lock_key(p_org_id uuid)
returns bigint
language sql immutable
set search_path = ''
as $$ select hashtextextended('segments:' || p_org_id, 0) $$;

create or replace function private.lock_segments(p_org_id uuid)
returns void
language plpgsql volatile
set search_path = ''
as $$
begin
    perform pg_catalog.pg_advisory_xact_lock(private.segment_lock_key(p_org_id));
end
$$;

-- True when the program is another one now.
create or replace function private.compile_program(p_segment public.segments, p_context jsonb)
returns boolean
language plpgsql volatile
set search_path = ''
as $$
declare
    v_problems jsonb := octopush.check_segment(p_segment.rules, p_context);
    v_predicate text := 'false';
    v_params text[] := array[]::text[];
    v_horizons jsonb := jsonb_build_object('rolling', '[]'::jsonb, 'calendar', false);
begin
    if v_problems = '[]' then
        select p.predicate, p.params into v_predicate, v_params from octopush.compile_segment(p_segment.rules, p_context, 1) p;
        v_horizons := octopush.segment_horizons(p_segment.rules);
    end if;
    insert into private.segment_programs as p (segment_id, org_id, predicate, params, rolling, is_calendar, problem)
    values (p_segment.id, p_segment.org_id, v_predicate, v_params, v_horizons -> 'rolling', (v_horizons ->> 'calendar')::boolean,
        v_problems #>> '{0,message}')
    on conflict (segment_id) do update set predicate = excluded.predicate, params = excluded.params, rolling = excluded.rolling,
        is_calendar = excluded.is_calendar, problem = excluded.problem
    where (p.predicate, p.params, p.rolling, p.is_calendar, p.problem)
        is distinct from (excluded.predicate, excluded.params, excluded.rolling, excluded.is_calendar, excluded.problem);
    return found;
end
$$;

-- Everything that uses a segment, directly or through others.
create or replace function private.segments_above(p_segment_id uuid)
returns setof uuid
language sql stable
set search_path = ''
as $$
    with recursive above as (
        select e.segment_id from private.segment_edges e where e.uses_id = p_segment_id
        union
        select e.segment_id from private.segment_edges e join above a on a.segment_id = e.uses_id
    )
    select a.segment_id from above a
$$;

-- What this segment's rules name now; refuses a circle. The segment lock makes two that would close one together impossible.
create or replace function private.set_segment_edges(p_segment public.segments)
returns void
language plpgsql volatile
set search_path = ''
as $$
declare
    v_uses uuid[] := array(select distinct x::uuid from jsonb_array_elements_text(octopush.segment_references(p_segment.rules) -> 'segments') x);
    v_culprit uuid;
begin
    select u into v_culprit from unnest(v_uses) u
    where u = p_segment.id or u in (select a from private.segments_above(p_segment.id) a) limit 1;
    if found then
        perform private.raise_error('SEGMENT_004', jsonb_build_object('segment',
            (select jsonb_build_object('id', s.id, 'name', s.name) from public.segments s where s.id = v_culprit)));
    end if;
    delete from private.segment_edges e where e.segment_id = p_segment.id and e.uses_id <> all (v_uses);
    insert into private.segment_edges (org_id, segment_id, uses_id) select p_segment.org_id, p_segment.id, u from unnest(v_uses) u
    on conflict do nothing;
end
$$;

-- Levels by relaxation, which no shape of the graph can make slow; then the statements are to be made again.
create or replace function private.arrange_programs(p_org_id uuid)
returns void
language plpgsql volatile
set search_path = ''
as $$
begin
    update private.segment_programs p set level = 0
    where p.org_id = p_org_id and p.level <> 0 and not exists (select from private.segment_edges e where e.segment_id = p.segment_id);
    -- Each round settles at least one more level.
    for v_round in 1..200 loop
        update private.segment_programs p set level = w.level
        from (
            select e.segment_id, 1 + max(coalesce(u.level, 0)) as level
            from private.segment_edges e left join private.segment_programs u on u.segment_id = e.uses_id
            where e.org_id = p_org_id group by e.segment_id
        ) w
        where p.segment_id = w.segment_id and p.level <> w.level;
        exit when not found;
    end loop;
    delete from private.segment_statements s where s.org_id = p_org_id;
end
$$;

create or replace function private.make_statements(p_org_id uuid)
returns void
language plpgsql volatile
set search_path = ''
as $$
declare
    v_context jsonb := private.segment_context(p_org_id);
    v_program record;
    v_predicate text;
    v_added text[];
    v_level integer := 0;
    v_ids uuid[] := array[]::uuid[];
    v_predicates text[] := array[]::text[];
    v_params text[] := array[]::text[];
    v_lists uuid[] := array(select s.id from public.segments s where s.org_id = p_org_id and s.kind = 'static' order by s.id);
begin
    for v_program in
        select p.segment_id, p.level, p.problem, s.rules from private.segment_programs p join public.segments s on s.id = p.segment_id
        where p.org_id = p_org_id
        union all
        -- Closes the last level.
        select null, null, null, null
        order by 2 nulls last, 1
    loop
        if v_program.level is distinct from v_level then
            insert into private.segment_statements (org_id, level, segment_ids, list_ids, expression, params)
            values (p_org_id, v_level, v_ids, v_lists, 'array[' || nullif(array_to_string(v_predicates, ', '), '') || ']', v_params);
            select v_program.level, array[]::uuid[], array[]::text[], array[]::text[], array[]::uuid[]
            into v_level, v_ids, v_predicates, v_params, v_lists;
        end if;
        if v_program.problem is null and v_program.segment_id is not null then
            select c.predicate, c.params into v_predicate, v_added
            from octopush.compile_segment(v_program.rules, v_context, cardinality(v_params) + 1) c;
        else
            select 'false', array[]::text[] into v_predicate, v_added;
        end if;
        v_ids := v_ids || v_program.segment_id;
        v_predicates := v_predicates || ('(' || v_predicate || ')');
        v_params := v_params || v_added;
    end loop;
end
$$;

-- After programs changed: the clock that watches their boundaries. One that nobody needed until now begins now.
create or replace function private.set_segment_clock(p_org_id uuid, p_now timestamptz)
returns void
language sql volatile
set search_path = ''
as $$
    insert into private.segment_clocks as k (org_id, evaluated_until, judged_at, local_date, library, has_horizons)
    select o.id, p_now, p_now, (p_now at time zone o.time_zone)::date, octopush.version(), coalesce(h.is_needed, false)
    from public.organizations o
    cross join (
        select bool_or(p.is_calendar or p.rolling <> '[]') as is_needed from private.segment_programs p where p.org_id = p_org_id
    ) h
    where o.id = p_org_id
    on conflict (org_id) do update set has_horizons = excluded.has_horizons,
        evaluated_until = case when k.has_horizons then k.evaluated_until else excluded.evaluated_until end,
        judged_at = case when k.has_horizons then k.judged_at else excluded.judged_at end,
        local_date = case when k.has_horizons then k.local_date else excluded.local_date end
$$;

-- Compiles everything anew; what came out different is to be worked out as a whole, and what is built on it.
create or replace function private.compile_programs(p_org_id uuid, p_now timestamptz)
returns void
language plpgsql volatile
set search_path = ''
as $$
declare
    v_context jsonb := private.segment_context(p_org_id);
    v_changed uuid[];
begin
    v_changed := array(
        select s.id from public.segments s where s.org_id = p_org_id and s.kind = 'dynamic' and private.compile_program(s, v_context));
    perform private.request_rebuilds(p_org_id, v_changed, 'rebuild');
    perform private.arrange_programs(p_org_id);
    perform private.set_segment_clock(p_org_id, p_now);
    update private.segment_clocks k set library = octopush.version() where k.org_id = p_org_id and k.library <> octopush.version();
end
$$;

-- These segments and all above them are to be worked out as a whole. A first time stays one.
create or replace function private.request_rebuilds(p_org_id uuid, p_segment_ids uuid[], p_cause text)
returns void
language sql volatile
set search_path = ''
as $$
    update private.segment_programs p set rebuild = p_cause
    where p.org_id = p_org_id and p.rebuild is distinct from 'created' and (p.segment_id = any (p_segment_ids)
        or p.segment_id in (select a from unnest(p_segment_ids) s, private.segments_above(s) a))
$$;
