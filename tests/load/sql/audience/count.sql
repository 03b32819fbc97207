-- Both sides of the comparison, run as the product runs compiled rules: planned for their values, without JIT.
create function pg_temp.count_compiled(p_predicate text, p_params text[], p_now timestamptz, p_org_id uuid) returns bigint
language plpgsql set jit = off
as $$
declare
    v_count bigint;
begin
    execute 'select count(*) from public.contacts c where c.org_id = $3 and c.deleted_at is null and c.erased_at is null and (' || p_predicate || ')'
        into v_count using p_params, p_now, p_org_id;
    return v_count;
end
$$;
create function pg_temp.count_by_hand(p_sql text) returns bigint
language plpgsql set jit = off
as $$
declare
    v_count bigint;
begin
    execute p_sql into v_count;
    return v_count;
end
$$;
