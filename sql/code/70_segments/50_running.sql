-- The one place of this folder that runs compiled text. It comes from octopush.compile_segment, which builds it of fixed pieces;
-- whatever a person wrote is a value in $1.
-- Must stay true: nobody but private.segment_programs and private.segment_statements brings a predicate here.

-- The contacts of an organisation that a predicate is true for.
create or replace function private.matching_contacts(p_org_id uuid, p_predicate text, p_params text[], p_now timestamptz)
returns setof uuid
language plpgsql stable
set search_path = ''
set jit = off
as $$
begin
    return query execute
        'select c.id from public.contacts c where c.org_id = $3 and c.deleted_at is null and c.erased_at is null and (' || p_predicate || ')'
        using p_params, p_now, p_org_id;
end
$$;

-- How many those are, and the newest ten. In one pass: looking for the ten along the index of created_at would cost a second count, and
-- more, whenever few match.
create or replace function private.count_matching_contacts(p_org_id uuid, p_predicate text, p_params text[], p_now timestamptz,
    out total bigint, out newest uuid[])
language plpgsql stable
set search_path = ''
set jit = off
as $$
begin
    execute
        'with matching as materialized (
            select c.created_at, c.id from public.contacts c
            where c.org_id = $3 and c.deleted_at is null and c.erased_at is null and (' || p_predicate || ')
        )
        select count(*), array(select m.id from matching m order by m.created_at desc, m.id desc limit 10) from matching'
        into total, newest using p_params, p_now, p_org_id;
end
$$;

-- Which of these contacts belong to which segments of a level, by their rules.
create or replace function private.matching_segments(p_statement private.segment_statements, p_contact_ids uuid[], p_now timestamptz)
returns setof public.segment_members
language plpgsql stable
set search_path = ''
set jit = off
as $$
begin
    if p_statement.expression is null then
        return;
    end if;
    return query execute
        'select ($5)[h.nth], x.id, $3, $2
        from (
            select c.id, ' || p_statement.expression || ' as hits
            from public.contacts c where c.org_id = $3 and c.id = any ($4) and c.deleted_at is null and c.erased_at is null
        ) x, unnest(x.hits) with ordinality as h (is_hit, nth)
        where h.is_hit'
        using p_statement.params, p_now, p_statement.org_id, p_contact_ids, p_statement.segment_ids;
end
$$;

create or replace function private.explain_plan(p_sql text)
returns setof text
language plpgsql volatile
set search_path = ''
as $$
begin
    return query execute 'explain ' || p_sql;
end
$$;
