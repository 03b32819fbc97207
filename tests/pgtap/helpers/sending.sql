-- Sending: queueing as a member, and what the sender does.

create sequence tests.keys;
grant usage on sequence tests.keys to public;

-- Queues a text from acme's agent; its id.
create function tests.queue(p_body text, p_conversation text default 'acme.thread', p_user text default 'acme.agent')
returns uuid
language plpgsql volatile
set search_path = ''
as $$
declare
    v_id uuid;
begin
    perform tests.login_as(p_user);
    select m.id into v_id
    from public.send_message(tests.id(p_conversation), 'tests-key-' || nextval('tests.keys'), 'text', p_body) m;
    perform tests.logout();
    return v_id;
end
$$;

-- A sender process by name: announces itself on this session and takes the leases there are.
create function tests.lease(p_holder text)
returns setof uuid
language plpgsql volatile
set search_path = ''
as $$
begin
    perform tests.login_worker();
    perform worker.announce_sender(hashtext(p_holder));
    return query select l.whatsapp_account_id from worker.lease_numbers(tests.id(p_holder), hashtext(p_holder), 60, 100) l;
    perform tests.logout();
end
$$;

create function tests.claim(p_holder text, p_account text default 'acme.number', p_limit integer default 100)
returns setof uuid
language plpgsql volatile
set search_path = ''
as $$
begin
    perform tests.login_worker();
    return query select c.message_id from worker.claim_sends(tests.id(p_holder), tests.id(p_account), p_limit) c;
    perform tests.logout();
end
$$;

-- What Meta answered to the given attempt of a message.
create function tests.record(p_message_id uuid, p_outcome text, p_changes jsonb default '{}')
returns void
language plpgsql volatile
set search_path = ''
as $$
begin
    perform tests.login_worker();
    perform worker.record_sends(jsonb_build_array(jsonb_build_object('message_id', p_message_id, 'send_try', 0, 'attempt', 1,
        'outcome', p_outcome) || p_changes));
    perform tests.logout();
end
$$;

-- A message that Meta accepted as p_wa_message_id; its id.
create function tests.sent(p_wa_message_id text, p_conversation text default 'acme.thread')
returns uuid
language plpgsql volatile
set search_path = ''
as $$
declare
    v_id uuid := tests.queue('sent as ' || p_wa_message_id, p_conversation);
begin
    perform tests.lease('sender');
    perform tests.claim('sender', 'acme.number', 100);
    perform tests.record(v_id, 'accepted', jsonb_build_object('wa_message_id', p_wa_message_id));
    return v_id;
end
$$;

create function tests.outbox(p_message_id uuid)
returns private.outbox
language sql stable security definer
set search_path = ''
as $$ select o from private.outbox o where o.message_id = p_message_id $$;
