-- Everything at once on the same few conversations, some hundred rounds: nobody waits in a circle, nothing breaks, and in the end
-- the figures are right. A deadlock ends a session's loop with 40P01, which fails the test.

\ir helpers/sessions.sql
select plan(14);

-- Five people in one number, and the same five in another number of the same organisation.
select tests.make_account('acme', 'acme.second', '1003');
select tests.make_contact('acme', 'p' || i, '+6019000000' || i) from generate_series(1, 5) i;
select tests.make_conversation('acme', 'c' || i, 'acme.number', 'p' || i, interval '1 day') from generate_series(1, 5) i;
select tests.make_conversation('acme', 'd' || i, 'acme.second', 'p' || i, interval '1 day') from generate_series(1, 5) i;
create sequence tests.ids;
grant all on sequence tests.ids to public;

\ir helpers/rounds.sql
insert into tests.rounds values
('an agent', $$
    perform tests.call_as('acme.agent', format('select send_message(%L, %L, %L, %L)', tests.id('c' || 1 + i % 5), 'send-key-' || i, 'text', 'round ' || i));
    commit;
    perform tests.call_as('acme.agent', format('select mark_conversation_read(%L)', tests.id('c' || 1 + (i + 2) % 5)));
    commit;
    perform tests.call_as('acme.owner', format('select assign_conversation(%L, %L)', tests.id('c' || 1 + i % 5), tests.id('acme.agent')));
$$),
('another agent', $$
    perform tests.call_as('acme.owner', format('select add_note(%L, %L, %L)', tests.id('c' || 1 + i % 5), 'note', 'note-key-' || i));
    commit;
    perform tests.call_as('acme.owner', format('select retry_message(%L)', m.id))
    from (select m.id from public.messages m where m.status = 'failed' and m.direction = 'outbound' order by m.id desc limit 1 offset i % 3) m;
    commit;
    perform tests.call_as('acme.owner', format('select start_conversation(%L, %L)', tests.id('p' || 1 + i % 5), tests.id('acme.second')));
$$),
('a manager', $$
    if i % 2 = 0 then
        perform tests.call_as('acme.owner', format('select set_member_role(%L, %L, %L)', tests.id('acme'), tests.id('acme.agent'), 'viewer'));
        commit;
        perform tests.call_as('acme.owner', format('select set_member_role(%L, %L, %L)', tests.id('acme'), tests.id('acme.agent'), 'agent'));
    end if;
    commit;
    perform tests.call_as('acme.owner', format('select update_contact(%L, %L, %L)', tests.id('p' || 1 + i % 5),
        jsonb_build_object('company', 'round ' || i), (tests.contact('p' || 1 + i % 5)).updated_at));
    commit;
    perform tests.call_as('acme.owner', format('select set_contact_consent(%L, %L)', tests.id('p' || 1 + i % 5), case when i % 2 = 0 then 'opted_in' else 'opted_out' end));
$$),
('an applier', $$
    perform tests.apply((select jsonb_agg(tests.inbound('wamid.a' || i || '.' || p, jsonb_build_object('wa_id', '6019000000' || p, 'username', 'u' || i)))
        from generate_series(1, 5) p));
    perform tests.apply_statuses((select jsonb_agg(tests.status(m.wa_message_id, (array['sent', 'delivered', 'read', 'failed'])[1 + i % 4]))
        from (select m.wa_message_id from public.messages m where m.wa_message_id like 'wamid.s%' order by m.id desc limit 5) m));
$$),
('another applier', $$
    perform tests.apply((select jsonb_agg(tests.inbound('wamid.' || case when p > 3 then 'a' else 'b' end || i || '.' || p, jsonb_build_object('wa_id', '6019000000' || p,
        'phone_number_id', case when p > 2 then '1001' else '1003' end)) order by p desc) from generate_series(1, 5) p));
    -- One call a transaction, as the worker does.
    perform tests.apply_statuses(case when i % 2 = 0
        then (select jsonb_agg(tests.status(m.wa_message_id, (array['sent', 'delivered', 'read', 'failed'])[1 + (i / 2) % 4]) order by m.id)
            from (select m.wa_message_id, m.id from public.messages m where m.wa_message_id like 'wamid.s%' order by m.id desc limit 5) m)
        else (select jsonb_agg(tests.status('wamid.s' || o.message_id, 'sent', jsonb_build_object('message_id', o.message_id, 'send_try', 0)))
            from (select o.message_id from private.outbox o where o.state <> 'ready' limit 3) o) end);
$$),
('a sender', $$
    perform tests.lease('sender one');
    commit;
    perform tests.report('sender one', i);
    -- Its lease is over at once, so that the other takes over in the middle of things.
    if i % 3 = 0 then
        update private.phone_leases set lease_until = clock_timestamp() where holder = tests.id('sender one');
    end if;
$$),
('another sender', $$
    perform tests.lease('sender two');
    commit;
    perform tests.report('sender two', i);
    if i % 2 = 0 then
        update private.phone_leases set lease_until = clock_timestamp() where holder = tests.id('sender two');
    end if;
$$);

-- Claims, and reports all that is on its way: its own, and what the other one may be reporting or settling at this moment.
create function tests.report(p_holder text, p_round integer) returns void language plpgsql as $$
begin
    perform tests.claim(p_holder, 'acme.number', 5);
    perform tests.record_many((
        select jsonb_agg(jsonb_build_object('message_id', o.message_id, 'send_try', m.send_try, 'attempt', o.attempt,
            'outcome', (array['accepted', 'retry', 'failed', 'uncertain', 'accepted', 'accepted'])[1 + (p_round + o.seq) % 6],
            'wa_message_id', 'wamid.s' || o.message_id || '.' || m.send_try, 'retry_seconds', 0, 'error_code', '131000'))
        from private.outbox o join public.messages m on m.id = o.message_id where o.state <> 'ready'));
end
$$;
create function tests.record_many(p_results jsonb) returns void language plpgsql as $$
begin
    if p_results is not null then
        perform tests.login_worker();
        perform worker.record_sends(p_results);
        perform tests.logout();
    end if;
end
$$;
grant execute on all functions in schema tests to public;

create temporary table players as
select s.name as session, r.name as player from (select name, row_number() over (order by name) as n from tests.sessions) s
join (select name, row_number() over (order by name) as n from tests.rounds) r using (n);
select is((select count(*) from players), 7::bigint, 'seven play');
select tests.begin_rounds(session, player, 150) from players;
select is(tests.end_rounds(session), null, player || ' came to the end') from players order by player;

-- What is left of it.
select is_empty('select * from tests.wrong_unread_counts()', 'unread counts are recounts');
select is((select count(*) from public.messages where wa_message_id like 'wamid.a%.%'), 750::bigint, 'every message is there once, though two appliers had some of them');
select is_empty(
    $$ select o.message_id, m.status from private.outbox o join public.messages m on m.id = o.message_id where m.status <> 'pending' or m.wa_message_id is not null $$,
    'nothing is in the outbox whose fate is known'
);
select is_empty(
    $$ select m.id from public.messages m where m.direction = 'outbound' and m.status = 'pending' and m.wa_message_id is null and m.is_uncertain
        and not exists (select from private.outbox o where o.message_id = m.id and o.state = 'uncertain') $$,
    'what is uncertain waits in the outbox for its status'
);
select is_empty(
    $$ select m.id from public.messages m where m.direction = 'outbound' and m.status = 'pending' and m.wa_message_id is null
        and m.id <> tests.id('acme.waiting') and not exists (select from private.outbox o where o.message_id = m.id) $$,
    'what is pending and nameless waits there too'
);
select is_empty(
    $$
        select c.id from public.conversations c where c.org_id = tests.id('acme') and c.last_message_id is distinct from (
            select m.id from public.messages m where m.conversation_id = c.id and m.direction <> 'internal' order by m.occurred_at desc, m.id desc limit 1)
            and exists (select from public.messages m where m.conversation_id = c.id and m.direction = 'inbound')
            and c.id <> tests.id('acme.thread')
    $$,
    'the last message is the last'
);

select * from finish();
\ir helpers/clean.sql
