-- Talking to the sessions of sessions.sql.

create function tests.open(p_session text)
returns void
language plpgsql volatile
as $$
begin
    perform dblink_connect(p_session, s.conninfo) from tests.sessions s where s.name = p_session;
    perform dblink_exec(p_session, 'set search_path = tests, extensions, public');
    update tests.sessions set pid = (select r.pid from dblink(p_session, 'select pg_backend_pid()') r (pid integer)) where name = p_session;
end
$$;

-- Who a session is from now on: a user by name, or the worker.
create function tests.sit(p_session text, p_user text)
returns void
language plpgsql volatile
as $$
begin
    perform dblink_exec(p_session, 'reset role');
    if p_user = 'the worker' then
        perform dblink_exec(p_session, 'set role octopush_worker');
    elsif p_user <> 'the superuser' then
        perform dblink_exec(p_session, format('set request.jwt.claims = %L', jsonb_build_object('sub', tests.id(p_user), 'role', 'authenticated')));
        perform dblink_exec(p_session, 'set role authenticated');
    end if;
end
$$;

create function tests.tell(p_session text, p_command text)
returns void
language plpgsql volatile
as $$
begin
    perform dblink_exec(p_session, p_command);
end
$$;

-- The answer to a query that was sent: its first value (all rows, comma between), or the code of its error after an exclamation mark.
create function tests.answer(p_session text)
returns text
language plpgsql volatile
as $$
declare
    v_answer text;
    v_message text;
    v_state text;
begin
    begin
        select string_agg(r.value, ',') into v_answer from dblink_get_result(p_session) r (value text);
    exception when others then
        get stacked diagnostics v_message = message_text, v_state = returned_sqlstate;
        v_answer := '!' || case when v_state = 'PGRST' then v_message::jsonb ->> 'code' else v_state end;
    end;
    -- A second, empty result ends the query.
    perform r.value from dblink_get_result(p_session, false) r (value text);
    return v_answer;
end
$$;

-- Sends a query that answers one column, and goes on.
create function tests.send(p_session text, p_query text)
returns void
language plpgsql volatile
as $$
begin
    perform dblink_send_query(p_session, format('select (q)::text from (%s) as t (q)', p_query));
end
$$;

create function tests.say(p_session text, p_query text)
returns text
language plpgsql volatile
as $$
begin
    perform tests.send(p_session, p_query);
    return tests.answer(p_session);
end
$$;

-- True as soon as a session waits for a lock of another; false when it is done, or after ten seconds.
create function tests.waits(p_session text)
returns boolean
language plpgsql volatile
as $$
declare
    v_pid integer := (select s.pid from tests.sessions s where s.name = p_session);
    v_deadline timestamptz := clock_timestamp() + interval '10 seconds';
begin
    while clock_timestamp() < v_deadline loop
        if cardinality(pg_catalog.pg_blocking_pids(v_pid)) > 0 then
            return true;
        end if;
        if dblink_is_busy(p_session) = 0 then
            return false;
        end if;
        perform pg_catalog.pg_sleep(0.002);
    end loop;
    return false;
end
$$;

-- The first acts in an open transaction; the second must wait for it; then the first commits. Both answers.
create function tests.race(p_first text, p_second text)
returns text
language plpgsql volatile
as $$
declare
    v_first text;
    v_waited boolean;
begin
    perform dblink_exec('one', 'begin');
    v_first := tests.say('one', p_first);
    perform tests.send('two', p_second);
    v_waited := tests.waits('two');
    perform dblink_exec('one', 'commit');
    return concat_ws(' | ', coalesce(v_first, ''), case when not v_waited then 'at once' end, coalesce(tests.answer('two'), ''));
end
$$;
