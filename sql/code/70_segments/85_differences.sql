-- Maintained against recomputed. Called by tests and by admins who want to know; nothing is changed.
-- Must stay true: compiles the rules itself, and asks every level: with all segments below right, a segment's own recomputation is right.

create or replace function private.segment_differences(p_org_id uuid)
returns table (segment_id uuid, contact_id uuid, problem text)
language sql volatile
set search_path = ''
as $$
    with recomputed as materialized (
        select s.id as segment_id, x.contact_id
        from public.segments s
        cross join lateral (
            (select m.id from octopush.compile_segment(s.rules, private.segment_context(p_org_id), 1) r,
                private.matching_contacts(p_org_id, r.predicate, r.params, private.clock()) m (id)
            where s.kind = 'dynamic' and octopush.check_segment(s.rules, private.segment_context(p_org_id)) = '[]'
            except
            select p.contact_id from public.segment_pins p where p.segment_id = s.id and p.kind = 'exclude')
            union
            select p.contact_id from public.segment_pins p join public.contacts c on c.org_id = p_org_id and c.id = p.contact_id
            where p.segment_id = s.id and p.kind = 'include' and c.deleted_at is null and c.erased_at is null
        ) x (contact_id)
        where s.org_id = p_org_id and s.evaluated_at is not null
    ), maintained as materialized (
        select m.segment_id, m.contact_id from public.segment_members m join public.segments s on s.id = m.segment_id
        where s.org_id = p_org_id and s.evaluated_at is not null
    )
    select r.segment_id, r.contact_id, 'missing' from (select * from recomputed except select * from maintained) r
    union all
    select m.segment_id, m.contact_id, 'extra' from (select * from maintained except select * from recomputed) m
    union all
    select s.id, null, format('counted %s, are %s', s.member_count, x.n)
    from public.segments s cross join lateral (select count(*) as n from public.segment_members m where m.segment_id = s.id) x
    where s.org_id = p_org_id and x.n <> s.member_count
$$;
comment on function private.segment_differences(uuid) is
    'Segments, contacts and what is wrong (missing, extra, or a wrong count). Empty once private.contact_changes is.';
