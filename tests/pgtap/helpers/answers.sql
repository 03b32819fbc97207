-- What a client gets back: the code of the error a statement raises, as PostgREST would say it.

create function tests.outcome(p_sql text)
returns jsonb
language plpgsql volatile
as $$
declare
    v_message text;
    v_detail text;
    v_state text;
begin
    execute p_sql;
    return null;
exception when others then
    get stacked diagnostics v_message = message_text, v_detail = pg_exception_detail, v_state = returned_sqlstate;
    if v_state = 'PGRST' then
        return v_message::jsonb || jsonb_build_object('status', v_detail::jsonb -> 'status', 'headers', v_detail::jsonb -> 'headers');
    end if;
    return jsonb_build_object('code', v_state, 'message', v_message);
end
$$;

-- null when the statement went through; then its effects stay.
create function tests.error_of(p_sql text)
returns text
language sql volatile
as $$ select tests.outcome(p_sql) ->> 'code' $$;

create function tests.details_of(p_sql text)
returns jsonb
language sql volatile
as $$ select (tests.outcome(p_sql) ->> 'details')::jsonb $$;

-- As somebody, and back to whoever ran the test.
create function tests.error_for(p_user text, p_sql text)
returns text
language plpgsql volatile
as $$
declare
    v_code text;
begin
    perform tests.login_as(p_user);
    v_code := tests.error_of(p_sql);
    perform tests.logout();
    return v_code;
end
$$;

-- Rows as somebody sees them.
create function tests.count_for(p_user text, p_sql text)
returns bigint
language plpgsql volatile
as $$
declare
    v_count bigint;
begin
    perform tests.login_as(p_user);
    execute format('select count(*) from (%s) q', p_sql) into v_count;
    perform tests.logout();
    return v_count;
end
$$;

-- The rows of a query as octopush_worker, which cannot even name pgTAP's functions.
create function tests.for_worker(p_sql text)
returns setof jsonb
language plpgsql volatile
as $$
declare
    v_rows jsonb[];
begin
    perform tests.login_worker();
    execute format('with q as (%s) select array_agg(to_jsonb(q)) from q', p_sql) into v_rows;
    perform tests.logout();
    return query select unnest(v_rows);
end
$$;

-- The only value of such a query.
create function tests.worker_says(p_sql text)
returns text
language sql volatile
as $$ select v.value from tests.for_worker(p_sql) r, jsonb_each_text(r) v $$;
