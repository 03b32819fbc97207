-- What people do to a conversation: read, assign, resolve, snooze, start (PRD §6).

begin;
\ir helpers/load.sql
select plan(64);
select tests.make_world();

create function tests.act(p_call text, p_user text default 'acme.agent') returns text language sql as $$
    select tests.error_for(p_user, 'select ' || replace(p_call, 'THREAD', quote_literal(tests.id('acme.thread'))))
$$;
create function tests.lines() returns text[] language sql security definer as $$
    select coalesce(array_agg(m.payload ->> 'event' order by m.occurred_at, m.id), '{}') from public.messages m
    where m.conversation_id = tests.id('acme.thread') and m.type = 'system'
$$;

-- Read and unread.
select is(tests.act('mark_conversation_unread(THREAD)'), null, 'without a message nothing is unread');
select is((tests.conversation('acme.thread')).unread_count, 0, 'and the count stays');
select tests.receive('wamid.1'), tests.receive('wamid.2');
select is((tests.conversation('acme.thread')).unread_count, 2, 'two messages are unread');
select is(tests.act('mark_conversation_read(THREAD)', 'acme.viewer'), 'AUTH_003', 'a viewer''s look does not count');
select is(tests.act('mark_conversation_read(THREAD)'), null, 'an agent reads them');
select is((tests.conversation('acme.thread')).unread_count, 0, 'nothing is unread');
select is(tests.act('mark_conversation_unread(THREAD)'), null, 'and marks the conversation unread');
select is((tests.conversation('acme.thread')).unread_count, 1, 'from the last message on');
select is(tests.act('mark_conversation_unread(THREAD)'), null, 'once more');
select is((tests.conversation('acme.thread')).unread_count, 1, 'changes nothing');
select is_empty('select * from tests.wrong_unread_counts()', 'the stored count is the recount');
select tests.receive('wamid.3');
select is((tests.conversation('acme.thread')).unread_count, 2, 'the next message counts on top');
select is_empty('select * from tests.wrong_unread_counts()', 'and the recount agrees');
select is(
    (select count(*) from tests.heard('org:' || tests.id('acme')) h where h ->> 'event' = 'inbox'
        and h -> 'conversation_ids' = jsonb_build_array(tests.id('acme.thread'))), 5::bigint,
    'three messages, one read and one unread were each told to the organisation'
);

-- Assigning.
select is(tests.act($$ assign_conversation(THREAD, tests.id('acme.viewer')) $$), 'CONVERSATION_002', 'a viewer cannot answer');
select is(tests.act($$ assign_conversation(THREAD, tests.id('acme.campaign_manager')) $$), 'CONVERSATION_002', 'nor a campaign manager');
select is(tests.act($$ assign_conversation(THREAD, tests.id('globex.agent')) $$), 'CONVERSATION_002', 'nor a stranger');
select is((tests.conversation('acme.thread')).assigned_to, null, 'nothing was assigned');
select is(tests.act($$ assign_conversation(THREAD, tests.id('acme.agent')) $$), null, 'an agent takes it');
select is((tests.conversation('acme.thread')).assigned_to, tests.id('acme.agent'), 'and has it');
select is((select count(*) from public.notifications where kind = 'conversation.assigned'), 0::bigint, 'nobody is told what she did herself');
select is(tests.act($$ assign_conversation(THREAD, tests.id('acme.owner')) $$), null, 'and hands it to the owner');
select results_eq(
    $$ select user_id, priority, data ->> 'conversation_id' from public.notifications where kind = 'conversation.assigned' $$,
    $$ values (tests.id('acme.owner'), 'high', tests.id('acme.thread')::text) $$, 'who is told'
);
select is((select count(*) from tests.heard('user:' || tests.id('acme.owner'))), 1::bigint, 'on their own topic');
select is(tests.act($$ assign_conversation(THREAD, tests.id('acme.owner')) $$), null, 'the same again');
select is(tests.act($$ assign_conversation(THREAD, null) $$, 'acme.owner'), null, 'and taken back');
select is((tests.conversation('acme.thread')).assigned_to, null, 'it is free');
select is(tests.lines(), array['assigned', 'assigned', 'assigned'], 'three lines in the chat, none for the call that changed nothing');
select is((select count(*) from public.activity_log where kind = 'conversation.assigned'), 3::bigint, 'as in the feed');

-- Resolving, reopening.
select is(tests.act('resolve_conversation(THREAD)'), null, 'it is resolved');
select is((select row (status, folder)::text from public.conversations where id = tests.id('acme.thread')), '(resolved,resolved)', 'and leaves the list');
select is(tests.act('resolve_conversation(THREAD)'), null, 'twice');
select is(tests.act('reopen_conversation(THREAD)'), null, 'it is reopened');
select is((select row (status, folder)::text from public.conversations where id = tests.id('acme.thread')), '(open,active)', 'within the window it is open');
select is(tests.lines(), array['assigned', 'assigned', 'assigned', 'resolved', 'reopened'], 'both are told in the chat, once');
select tests.act('resolve_conversation(THREAD)');
select tests.receive('wamid.4');
select is((tests.conversation('acme.thread')).status, 'open', 'a customer who writes reopens it');
select tests.act('resolve_conversation(THREAD)');
select tests.set_clock(now() + interval '25 hours');
select is(tests.act('reopen_conversation(THREAD)'), null, 'after the window');
select is((tests.conversation('acme.thread')).status, 'expired', 'a reopened conversation is expired');
select tests.set_clock(now());
update public.conversations set status = 'open' where id = tests.id('acme.thread');

-- Snoozing.
select is(tests.act('snooze_conversation(THREAD, null)'), 'CONVERSATION_003', 'a time is needed');
select is(tests.act($$ snooze_conversation(THREAD, now()) $$), 'CONVERSATION_003', 'in the future');
select is(tests.act($$ snooze_conversation(THREAD, now() + interval '1 year 1 day') $$), 'CONVERSATION_003', 'within a year');
select is(tests.act($$ snooze_conversation(THREAD, 'infinity') $$), 'CONVERSATION_003', 'for ever is too long');
select is(tests.act($$ snooze_conversation(THREAD, now() + interval '1 hour') $$), null, 'an hour is fine');
select is((tests.conversation('acme.thread')).status, 'pending', 'it waits');
select is(tests.worker_says('select worker.wake_snoozed(10)'), '0', 'and is left alone until then');
select tests.set_clock(now() + interval '1 hour 1 second');
select is(tests.worker_says('select worker.wake_snoozed(10)'), '1', 'then it wakes');
select is((select row (status, snoozed_until)::text from public.conversations where id = tests.id('acme.thread')), '(open,)', 'open again');
select tests.act($$ snooze_conversation(THREAD, now() + interval '3 days') $$);
select tests.set_clock(now() + interval '3 days 1 second');
select tests.for_worker('select worker.wake_snoozed(10)');
select is((tests.conversation('acme.thread')).status, 'expired', 'or expired, when the window closed meanwhile');
select tests.set_clock(now());
select tests.act($$ snooze_conversation(THREAD, now() + interval '1 hour') $$);
select tests.receive('wamid.5');
select is((select row (status, snoozed_until)::text from public.conversations where id = tests.id('acme.thread')), '(open,)', 'a customer who writes wakes it');

-- Windows that close.
select is(tests.worker_says('select worker.sweep_windows(10)'), '0', 'nothing closes yet');
select tests.set_clock(now() + interval '23 hours 30 minutes');
select tests.for_worker('select worker.sweep_windows(10)');
select is((tests.conversation('acme.thread')).status, 'open', 'half an hour before the end it is still open');
select is(
    (select array_agg(m.role order by m.role) from public.notifications n join public.org_memberships m using (org_id, user_id)
        where n.kind = 'conversation.window_closing' and n.org_id = tests.id('acme')),
    array['admin', 'agent', 'owner'], 'and whoever may answer is told'
);
select tests.for_worker('select worker.sweep_windows(10)');
select is((select count(*) from public.notifications where kind = 'conversation.window_closing' and org_id = tests.id('acme')), 3::bigint, 'once');
select tests.set_clock(now() + interval '24 hours 1 minute');
select is(tests.worker_says('select worker.sweep_windows(10)'), '1', 'at its end the window closes');
select is((tests.conversation('acme.thread')).status, 'expired', 'the conversation is expired');
select tests.set_clock(now());

-- Starting.
select tests.make_contact('acme', 'acme.ravi', '+60177777777');
select is(tests.act($$ start_conversation(tests.id('acme.ravi'), tests.id('globex.number')) $$), 'WA_006', 'not on another organisation''s number');
select is(tests.act($$ start_conversation(tests.id('globex.siti'), tests.id('acme.number')) $$), 'CONTACT_001', 'nor with its contact');
select is(tests.act($$ start_conversation(tests.id('acme.ravi'), tests.id('acme.number')) $$), null, 'a conversation is started');
select is(
    (select row (status, window_expires_at, folder)::text from public.conversations where contact_id = tests.id('acme.ravi')), '(expired,,active)',
    'without a window'
);
select tests.login_as('acme.agent');
select is(
    (select start_conversation(tests.id('acme.ravi'), tests.id('acme.number'))), (select id from public.conversations where contact_id = tests.id('acme.ravi')),
    'the same again gives the same conversation'
);
select tests.logout();
update public.contacts set deleted_at = now() where id = tests.id('acme.ravi');
select is(tests.act($$ start_conversation(tests.id('acme.ravi'), tests.id('acme.number')) $$), 'CONTACT_004', 'not with a contact in the trash');
update public.contacts set deleted_at = null where id = tests.id('acme.ravi');
update public.whatsapp_accounts set status = 'disconnected' where id = tests.id('acme.number');
select is(tests.act($$ start_conversation(tests.id('acme.ravi'), tests.id('acme.number')) $$), 'WA_006', 'nor on a disconnected number');

-- The list.
select tests.login_as('acme.viewer');
select results_eq(
    $$ select contact_name, contact_phone, account_display_phone_number, last_message_type, last_message_status
        from public.conversation_list where id = tests.id('acme.thread') $$,
    $$ values ('Acme.Siti', '+60123451001', '+60 3-1001', 'text', 'received') $$, 'a row of the list has what the inbox shows'
);
select tests.logout();
select is(tests.count_for('globex.owner', $$ select from public.conversation_list $$), 1::bigint, 'for one''s own organisation');

select * from finish();
rollback;
