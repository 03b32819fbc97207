-- Members as they should be, written as differences. Called under private.lock_segments by pins, edits and the maintenance.
-- Must stay true: a member is in by the rules and not excluded, or included by hand, and neither in the trash nor erased;
-- an event for everybody who comes or goes, except when a segment is worked out for the first time.
-- The two sides are compared by grouping, and members are deleted by their place in the table: the cost must not depend on what the planner
-- believes about the sizes. A segment made since the last analyze has no rows for it, and a join of two such is quadratic. The place holds
-- within the statement, because nobody else writes members while the segment lock is held.

-- These contacts, in all segments of the organisation, lower levels first: those above read the members below.
create or replace function private.evaluate_contacts(p_org_id uuid, p_contact_ids uuid[], p_cause text, p_now timestamptz)
returns uuid[]
language plpgsql volatile
set search_path = ''
as $$
declare
    v_statement private.segment_statements;
    v_segment_ids uuid[];
    v_touched uuid[];
    v_all_touched uuid[] := array[]::uuid[];
begin
    if not exists (select from private.segment_statements s where s.org_id = p_org_id) then
        perform private.make_statements(p_org_id);
    end if;
    for v_statement in select s.* from private.segment_statements s where s.org_id = p_org_id order by s.level loop
        v_segment_ids := v_statement.segment_ids || v_statement.list_ids;
        with pins as materialized (
            select p.segment_id, p.contact_id, p.kind from public.segment_pins p
            where p.org_id = p_org_id and p.contact_id = any (p_contact_ids) and (p.segment_id = any (v_segment_ids)) is true
        ), desired as materialized (
            (select m.segment_id, m.contact_id from private.matching_segments(v_statement, p_contact_ids, p_now) m
            except
            select p.segment_id, p.contact_id from pins p where p.kind = 'exclude')
            union
            select p.segment_id, p.contact_id from pins p
            join public.contacts c on c.id = p.contact_id and c.org_id = p_org_id and c.deleted_at is null and c.erased_at is null
            where p.kind = 'include'
        ), different as materialized (
            select x.segment_id, x.contact_id, max(x.place) as place
            from (
                select d.segment_id, d.contact_id, null::tid as place from desired d
                union all
                -- By contact: the other index would be asked once for every segment and contact.
                select m.segment_id, m.contact_id, m.ctid from public.segment_members m
                where m.org_id = p_org_id and m.contact_id = any (p_contact_ids) and (m.segment_id = any (v_segment_ids)) is true
            ) x
            group by x.segment_id, x.contact_id having count(*) = 1
        ), entered as (
            insert into public.segment_members (segment_id, contact_id, org_id, entered_at)
            select d.segment_id, d.contact_id, p_org_id, p_now from different d where d.place is null
            returning segment_id, contact_id
        ), gone as (
            delete from public.segment_members m
            where m.ctid = any (array(select d.place from different d where d.place is not null))
            returning m.segment_id, m.contact_id
        ), moved as (
            select e.segment_id, e.contact_id, 'entered' as kind from entered e
            union all
            select g.segment_id, g.contact_id, 'left' from gone g
        ), told as (
            insert into private.segment_events (org_id, segment_id, contact_id, kind, cause, created_at)
            select p_org_id, m.segment_id, m.contact_id, m.kind, p_cause, p_now
            from moved m join public.segments s on s.id = m.segment_id and s.evaluated_at is not null
        ), counted as (
            update public.segments s set member_count = s.member_count + x.difference
            from (
                select m.segment_id, sum(case m.kind when 'entered' then 1 else -1 end)::integer as difference from moved m group by m.segment_id
            ) x
            where s.id = x.segment_id and x.difference <> 0
        )
        select coalesce(array_agg(distinct m.segment_id), '{}') into v_touched from moved m;
        v_all_touched := v_all_touched || v_touched;
    end loop;
    return v_all_touched;
end
$$;

-- Everybody, in one segment. What changes while this looks is in the queue and judged again after.
create or replace function private.rebuild_segment(p_segment_id uuid, p_now timestamptz)
returns void
language plpgsql volatile
set search_path = ''
as $$
declare
    v_segment public.segments;
    v_program private.segment_programs;
begin
    select s.* into v_segment from public.segments s where s.id = p_segment_id;
    select p.* into v_program from private.segment_programs p where p.segment_id = p_segment_id;
    with desired as materialized (
        (select m.id from private.matching_contacts(v_segment.org_id, coalesce(v_program.predicate, 'false'),
            coalesce(v_program.params, '{}'), p_now) m (id)
        except
        select p.contact_id from public.segment_pins p where p.segment_id = p_segment_id and p.kind = 'exclude')
        union
        select p.contact_id from public.segment_pins p
        join public.contacts c on c.id = p.contact_id and c.org_id = p.org_id and c.deleted_at is null and c.erased_at is null
        where p.segment_id = p_segment_id and p.kind = 'include'
    ), different as materialized (
        select x.id, max(x.place) as place
        from (
            select d.id, null::tid as place from desired d
            union all
            select m.contact_id, m.ctid from public.segment_members m where m.segment_id = p_segment_id
        ) x
        group by x.id having count(*) = 1
    ), entered as (
        insert into public.segment_members (segment_id, contact_id, org_id, entered_at)
        select p_segment_id, d.id, v_segment.org_id, p_now from different d where d.place is null order by d.id
        returning contact_id
    ), gone as (
        delete from public.segment_members m
        where m.ctid = any (array(select d.place from different d where d.place is not null))
        returning m.contact_id
    ), told as (
        insert into private.segment_events (org_id, segment_id, contact_id, kind, cause, created_at)
        select v_segment.org_id, p_segment_id, x.contact_id, x.kind, v_program.rebuild, p_now
        from (
            select e.contact_id, 'entered' as kind from entered e union all select g.contact_id, 'left' from gone g
        ) x
        where v_program.rebuild <> 'created'
    )
    update public.segments s set evaluated_at = p_now, member_count = (select count(*) from desired) where s.id = p_segment_id;
    update private.segment_programs p set rebuild = null where p.segment_id = p_segment_id;
    update private.segment_clocks k set judged_at = greatest(k.judged_at, p_now) where k.org_id = v_segment.org_id;
end
$$;

-- The next that waits to be worked out as a whole, lower levels first; null when none does.
create or replace function private.next_rebuild(p_org_id uuid)
returns uuid
language sql stable
set search_path = ''
as $$
    select p.segment_id from private.segment_programs p where p.org_id = p_org_id and p.rebuild is not null order by p.level, p.segment_id limit 1
$$;

create or replace function private.broadcast_segments(p_org_id uuid, p_segment_ids uuid[])
returns void
language plpgsql volatile
set search_path = ''
as $$
begin
    if cardinality(p_segment_ids) > 0 then
        perform private.broadcast('org:' || p_org_id, 'segments', case
            when cardinality(p_segment_ids) <= 100 then jsonb_build_object('segment_ids', to_jsonb(p_segment_ids))
            else '{"all": true}'::jsonb end);
    end if;
end
$$;
