-- Segments: making them as a member, and letting the worker keep their members right. Included after load.sql by the tests of segments.

-- Rules of one leaf.
create or replace function tests.rule(p_field text, p_operator text, p_value jsonb default null)
returns jsonb
language sql immutable
as $$
    select jsonb_build_object('all', jsonb_build_array(jsonb_strip_nulls(
        jsonb_build_object('field', p_field, 'operator', p_operator, 'value', p_value))))
$$;

create or replace function tests.last(p_amount integer, p_unit text)
returns jsonb
language sql immutable
as $$ select jsonb_build_object('amount', p_amount, 'unit', p_unit) $$;

-- A dynamic segment, made by its organisation's campaign manager; its id.
create or replace function tests.make_segment(p_name text, p_rules jsonb, p_org text default 'acme')
returns uuid
language plpgsql volatile
set search_path = ''
as $$
declare
    v_id uuid;
begin
    perform tests.login_as(p_org || '.campaign_manager');
    select s.id into v_id from public.create_segment(tests.id(p_org), p_name, 'dynamic', p_rules) s;
    perform tests.logout();
    return v_id;
end
$$;

create or replace function tests.segment(p_name text, p_org text default 'acme')
returns public.segments
language sql stable security definer
set search_path = ''
as $$ select s from public.segments s where s.org_id = tests.id(p_org) and s.name = p_name $$;

-- Everything the worker has to do, done.
create or replace function tests.maintain()
returns void
language plpgsql volatile
set search_path = ''
as $$
declare
    v_result record;
begin
    perform tests.login_worker();
    for v_round in 1..1000 loop
        select * into v_result from worker.maintain_segments(1000);
        exit when not v_result.more;
    end loop;
    perform tests.logout();
    if v_result.more then
        raise exception 'maintenance does not come to an end';
    end if;
end
$$;

-- After the worker: the names of a segment's members, in order; 'wrong: …' instead when any segment differs from a recomputation.
create or replace function tests.members(p_segment text, p_org text default 'acme')
returns text[]
language plpgsql volatile
set search_path = ''
as $$
declare
    v_wrong text;
begin
    perform tests.maintain();
    select string_agg(s.name || ' ' || coalesce(c.full_name, '') || ' ' || d.problem, ', ') into v_wrong
    from private.segment_differences(tests.id(p_org)) d
    join public.segments s on s.id = d.segment_id left join public.contacts c on c.id = d.contact_id;
    if v_wrong is not null then
        return array['wrong: ' || v_wrong];
    end if;
    return array(
        select coalesce(c.full_name, m.contact_id::text) from public.segment_members m left join public.contacts c on c.id = m.contact_id
        where m.segment_id = (tests.segment(p_segment, p_org)).id order by 1);
end
$$;

-- What happened to a segment since the last time it was asked: 'entered Siti (change)'.
create or replace function tests.segment_events(p_segment text, p_org text default 'acme')
returns text[]
language plpgsql volatile
set search_path = ''
as $$
declare
    v_events text[];
begin
    perform tests.maintain();
    with told as (
        delete from private.segment_events e where e.segment_id = (tests.segment(p_segment, p_org)).id returning e.*
    )
    select coalesce(array_agg(format('%s %s (%s)', t.kind, c.full_name, t.cause) order by t.id), '{}') into v_events
    from told t left join public.contacts c on c.id = t.contact_id;
    return v_events;
end
$$;

-- Rows of an organisation in every table of segments, for the isolation matrix: on top of tests.make_rows().
create or replace function tests.make_segment_rows(p_org text)
returns void
language plpgsql volatile security definer
set search_path = ''
as $$
declare
    v_org_id uuid := tests.id(p_org);
begin
    insert into public.segments (id, org_id, name, kind, rules, evaluated_at)
    values (tests.id(p_org || '.segment'), v_org_id, 'Everybody', 'dynamic', '{"all": []}', now()),
        (tests.id(p_org || '.list'), v_org_id, 'A list', 'static', null, now()),
        (tests.id(p_org || '.outer'), v_org_id, 'Outer', 'dynamic', tests.rule('segment', 'is_in', to_jsonb(tests.id(p_org || '.segment'))), now());
    insert into private.segment_edges (org_id, segment_id, uses_id) values (v_org_id, tests.id(p_org || '.outer'), tests.id(p_org || '.segment'));
    insert into public.segment_pins (segment_id, contact_id, org_id, kind)
    values (tests.id(p_org || '.list'), tests.id(p_org || '.siti'), v_org_id, 'include');
    perform private.compile_programs(v_org_id, private.clock());
    perform private.make_statements(v_org_id);
    perform private.rebuild_segment(tests.id(p_org || '.segment'), private.clock());
    perform private.evaluate_contacts(v_org_id, array[tests.id(p_org || '.siti')], 'change', private.clock());
    insert into private.contact_changes (org_id, contact_id) values (v_org_id, tests.id(p_org || '.siti'));
end
$$;

grant execute on all functions in schema tests to public;
