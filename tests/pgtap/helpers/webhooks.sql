-- What the applier hands to the database.

-- An element of worker.apply_messages: a text written now to acme's number, unless p_changes says otherwise.
create function tests.inbound(p_wa_message_id text, p_changes jsonb default '{}')
returns jsonb
language sql volatile
set search_path = ''
as $$
    select jsonb_build_object('webhook_event_id', 1, 'phone_number_id', '1001', 'wa_id', '60123451001', 'bsuid', null,
        'profile_name', 'Siti', 'username', null, 'wa_message_id', p_wa_message_id, 'occurred_at', private.clock(), 'type', 'text',
        'body', 'hello', 'payload', null, 'reply_to', null, 'is_placeholder', false, 'reaction_to', null, 'opens_window', true) || p_changes
$$;

-- Applies events as the worker does; the problems it would keep.
create function tests.apply(p_events jsonb)
returns text[]
language plpgsql volatile
set search_path = ''
as $$
declare
    v_problems text[];
begin
    perform tests.login_worker();
    select coalesce(array_agg(a.webhook_event_id || ': ' || a.problem order by 1), '{}') into v_problems
    from worker.apply_messages(p_events) a;
    perform tests.logout();
    return v_problems;
end
$$;

-- One message.
create function tests.receive(p_wa_message_id text, p_changes jsonb default '{}')
returns text[]
language sql volatile
set search_path = ''
as $$ select tests.apply(jsonb_build_array(tests.inbound(p_wa_message_id, p_changes))) $$;

-- An element of worker.apply_statuses.
create function tests.status(p_wa_message_id text, p_status text, p_changes jsonb default '{}')
returns jsonb
language sql volatile
set search_path = ''
as $$
    select jsonb_build_object('webhook_event_id', 1, 'phone_number_id', '1001', 'wa_message_id', p_wa_message_id, 'message_id', null,
        'send_try', null, 'status', p_status, 'occurred_at', private.clock(), 'error_code', null, 'error_message', null) || p_changes
$$;

create function tests.apply_statuses(p_events jsonb)
returns text[]
language plpgsql volatile
set search_path = ''
as $$
declare
    v_problems text[];
begin
    perform tests.login_worker();
    select coalesce(array_agg(a.webhook_event_id || ': ' || a.problem order by 1), '{}') into v_problems
    from worker.apply_statuses(p_events) a;
    perform tests.logout();
    return v_problems;
end
$$;
