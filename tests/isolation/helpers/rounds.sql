-- Games of several sessions, each repeating its own statements with a commit after each round (`i` is the round). Included after sessions.sql.

-- What one session repeats. Transactions are those of the product: one for each call of a person, one for a batch of the applier.
create table tests.rounds (name text primary key, statement text not null);
-- A refusal is an answer; anything else, a deadlock above all, ends the game.
create function tests.call_as(p_user text, p_sql text) returns void language plpgsql as $$
begin
    perform tests.login_as(p_user);
    execute p_sql;
    perform tests.logout();
exception when sqlstate 'PGRST' then
    perform tests.logout();
end
$$;

create function tests.begin_rounds(p_session text, p_name text, p_rounds integer) returns void language plpgsql as $$
begin
    perform dblink_send_query(p_session, format('do $do$ begin for i in 1..%s loop %s commit; end loop; end $do$', p_rounds, r.statement))
    from tests.rounds r where r.name = p_name;
end
$$;
create function tests.end_rounds(p_session text) returns text language plpgsql as $$
declare
    v_message text;
    v_state text;
begin
    perform r.value from dblink_get_result(p_session) r (value text);
    perform r.value from dblink_get_result(p_session) r (value text);
    return null;
exception when others then
    get stacked diagnostics v_message = pg_exception_context, v_state = returned_sqlstate;
    return v_state || ' ' || sqlerrm || ' ' || v_message;
end
$$;
