-- Keeps members right as data and time move. Called by the workers' role `segments`, several times a second.
-- Must stay true: one organisation a call and transaction, under its segment lock; a queue line is taken away in the transaction that
-- judges its contact, and no row of contacts is ever locked or waited for.
-- Why nothing is missed: the function is volatile and runs in READ COMMITTED, so each statement sees what was committed before it began.
-- A line that the delete took away was committed with its change, so the statements after the delete see at least that change. A change
-- that commits later brings a line of its own that this delete did not see, and is judged in a later call. Judging twice changes nothing.

-- Puts into the queue whoever crosses a boundary of time between two moments. Closed at both ends: whatever side of its boundary a rule
-- counts the moment itself to, the contact is judged on both.
create or replace function private.queue_time_boundaries(p_org_id uuid, p_from timestamptz, p_until timestamptz)
returns void
language sql volatile
set search_path = ''
as $$
    with bounds as materialized (
        select distinct h."column", p_from - make_interval(hours => h.hours) as low, p_until - make_interval(hours => h.hours) as high
        from private.segment_programs p, jsonb_to_recordset(p.rolling) as h ("column" text, hours integer)
        where p.org_id = p_org_id
    )
    insert into private.contact_changes (org_id, contact_id, is_time)
    select p_org_id, x.id, true from (
        select c.id from bounds b join public.contacts c
            on c.org_id = p_org_id and c.last_message_at between b.low and b.high and c.deleted_at is null
        where b."column" = 'last_message_at'
        union
        select c.id from bounds b join public.contacts c
            on c.org_id = p_org_id and c.last_inbound_at between b.low and b.high and c.deleted_at is null and c.last_inbound_at is not null
        where b."column" = 'last_inbound_at'
        union
        select c.id from bounds b join public.contacts c
            on c.org_id = p_org_id and c.created_at between b.low and b.high and c.deleted_at is null
        where b."column" = 'created_at'
        union
        select c.id from bounds b join public.contacts c
            on c.org_id = p_org_id and c.opt_in_at between b.low and b.high and c.deleted_at is null and c.opt_in_at is not null
        where b."column" = 'opt_in_at'
    ) x
$$;

-- Once a second at most, and whenever the clock is found behind itself.
create or replace function private.advance_segment_clock(p_org_id uuid, p_now timestamptz)
returns void
language plpgsql volatile
set search_path = ''
as $$
declare
    v_clock private.segment_clocks;
    v_today date;
begin
    select k.* into v_clock from private.segment_clocks k where k.org_id = p_org_id;
    if v_clock.library is distinct from octopush.version() then
        perform private.compile_programs(p_org_id, p_now);
    end if;
    -- Another day also by another time zone: it is the present zone's midnight that must not be missed.
    v_today := (select (p_now at time zone o.time_zone)::date from public.organizations o where o.id = p_org_id);
    if not v_clock.has_horizons
        or v_today = v_clock.local_date and p_now >= v_clock.judged_at and p_now < v_clock.evaluated_until + interval '1 second'
    then
        return;
    end if;
    -- Backwards: whoever has a boundary in the time that is yet to come again.
    perform private.queue_time_boundaries(p_org_id, least(v_clock.evaluated_until, p_now), greatest(v_clock.evaluated_until, v_clock.judged_at, p_now));
    if v_today <> v_clock.local_date then
        perform private.request_rebuilds(p_org_id,
            array(select p.segment_id from private.segment_programs p where p.org_id = p_org_id and p.is_calendar), 'time');
    end if;
    update private.segment_clocks k set evaluated_until = p_now, judged_at = p_now, local_date = v_today where k.org_id = p_org_id;
end
$$;

-- Organisations with something to do, the longest unserved first.
create or replace function private.waiting_segment_orgs(p_now timestamptz)
returns setof uuid
language sql volatile
set search_path = ''
as $$
    with recursive queued as (
        -- Hops from organisation to organisation along the index, however long the queue of one is.
        (select q.org_id from private.contact_changes q order by q.org_id limit 1)
        union all
        select (select q.org_id from private.contact_changes q where q.org_id > w.org_id order by q.org_id limit 1)
        from queued w where w.org_id is not null
    )
    select o.org_id
    from (
        select w.org_id from queued w where w.org_id is not null
        union
        select k.org_id from private.segment_clocks k
        where k.library <> octopush.version()
            or k.has_horizons and (p_now >= k.evaluated_until + interval '1 second' or p_now < k.judged_at)
        union
        select p.org_id from private.segment_programs p where p.rebuild is not null
    ) o
    left join private.segment_clocks k on k.org_id = o.org_id
    order by k.served_at nulls first
    limit 100
$$;

create or replace function private.maintain_segments_of(p_org_id uuid, p_limit integer)
returns integer
language plpgsql volatile
set search_path = ''
as $$
declare
    v_now timestamptz := private.clock();
    v_count integer;
    v_has_definitions boolean;
    v_changed uuid[];
    v_by_time uuid[];
    v_rebuilt uuid;
    v_touched uuid[] := array[]::uuid[];
begin
    if not exists (select from private.segment_clocks k where k.org_id = p_org_id) then
        perform private.set_segment_clock(p_org_id, v_now);
    end if;
    perform private.advance_segment_clock(p_org_id, v_now);
    with taken as (
        delete from private.contact_changes q
        -- By both columns of the index: the queue is empty when it is analysed, and the planner then takes any way for the shortest.
        where q.org_id = p_org_id
            and q.id = any (array(select x.id from private.contact_changes x where x.org_id = p_org_id order by x.id limit p_limit))
        returning q.contact_id, q.is_time
    ), contacts as (
        select t.contact_id, count(*) as lines, bool_and(t.is_time) as is_time from taken t group by t.contact_id
    )
    select coalesce(sum(c.lines), 0)::integer, coalesce(bool_or(c.contact_id is null), false),
        coalesce(array_agg(c.contact_id) filter (where c.contact_id is not null and not c.is_time), '{}'),
        coalesce(array_agg(c.contact_id) filter (where c.is_time), '{}')
    into v_count, v_has_definitions, v_changed, v_by_time from contacts c;

    if v_has_definitions then
        perform private.compile_programs(p_org_id, v_now);
    end if;
    v_rebuilt := private.next_rebuild(p_org_id);
    if v_rebuilt is not null then
        perform private.rebuild_segment(v_rebuilt, v_now);
        v_touched := array[v_rebuilt];
        v_count := v_count + 1;
    end if;
    if cardinality(v_changed) > 0 then
        v_touched := v_touched || private.evaluate_contacts(p_org_id, v_changed, 'change', v_now);
    end if;
    if cardinality(v_by_time) > 0 then
        v_touched := v_touched || private.evaluate_contacts(p_org_id, v_by_time, 'time', v_now);
    end if;
    update private.segment_clocks k set judged_at = greatest(k.judged_at, v_now), served_at = clock_timestamp() where k.org_id = p_org_id;
    perform private.broadcast_segments(p_org_id, array(select distinct t from unnest(v_touched) t));
    return v_count;
end
$$;

create or replace function worker.maintain_segments(p_limit integer)
returns table (handled integer, more boolean)
language plpgsql volatile security definer
set search_path = ''
as $$
declare
    v_org_ids uuid[] := array(select private.waiting_segment_orgs(private.clock()));
    v_org_id uuid;
begin
    handled := 0;
    foreach v_org_id in array v_org_ids loop
        -- Whoever holds it does the same work, or changes segments and will be a moment.
        continue when not pg_catalog.pg_try_advisory_xact_lock(private.segment_lock_key(v_org_id));
        begin
            handled := private.maintain_segments_of(v_org_id, p_limit);
        exception when others then
            -- An organisation whose segments fail, whatever the reason, must not keep all others waiting: its changes stay in the queue, and
            -- it comes last from now on. Without the message, which may quote a contact.
            raise warning 'segments of organization %: error %', v_org_id, sqlstate;
            update private.segment_clocks k set served_at = clock_timestamp() where k.org_id = v_org_id;
            continue;
        end;
        more := cardinality(v_org_ids) > 1 or handled >= p_limit or private.next_rebuild(v_org_id) is not null;
        return next;
        return;
    end loop;
    more := false;
    return next;
end
$$;
comment on function worker.maintain_segments(integer) is
    'Judges up to p_limit changes of one organisation; more: call again at once.';

create or replace function worker.purge_segment_events(p_limit integer)
returns integer
language plpgsql volatile security definer
set search_path = ''
as $$
declare
    v_count integer;
begin
    delete from private.segment_events where id in (
        select e.id from private.segment_events e where e.created_at < private.clock() - interval '30 days' order by e.id limit p_limit);
    get diagnostics v_count = row_count;
    return v_count;
end
$$;
