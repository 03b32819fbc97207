-- The feed and notifications: who sees what, own read marks, no words of customers in them.

begin;
\ir helpers/load.sql
select plan(19);
select tests.make_world(), tests.make_rows('acme'), tests.make_rows('globex');

-- Notifications are one's own.
select is(tests.count_for('acme.agent', 'select from public.notifications'), 1::bigint, 'everybody has their own');
select is(tests.count_for('acme.agent', $$ select from public.notifications where user_id <> tests.id('acme.agent') $$), 0::bigint, 'and sees no other');
create function tests.mark(p_user text, p_call text) returns integer language plpgsql as $$
declare
    v_count integer;
begin
    perform tests.login_as(p_user);
    execute 'select ' || p_call into v_count;
    perform tests.logout();
    return v_count;
end
$$;
select is(
    tests.mark('acme.agent', $$ mark_notifications_read(tests.id('acme'), array(select n.id from public.notifications n)) $$), 1,
    'one marks one''s own as read'
);
select is(tests.mark('acme.agent', $$ mark_notifications_read(tests.id('acme')) $$), 0, 'once');
insert into public.notifications (id, org_id, user_id, kind)
select tests.id('n' || i), tests.id('acme'), tests.id('acme.agent'), 'conversation.assigned' from generate_series(1, 3) i;
select is(
    tests.mark('acme.agent', $$ mark_notifications_read(tests.id('acme'), array[tests.id('n1'), tests.id('acme.notification.owner' || tests.id('acme.owner'))]) $$),
    1, 'ids of others are passed over'
);
select is(tests.mark('acme.agent', $$ mark_notifications_read(tests.id('acme'), '{}') $$), 0, 'none means none');
select is(tests.mark('acme.agent', $$ mark_notifications_read(tests.id('acme')) $$), 2, 'null means all');
select is((select count(*) from public.notifications where read_at is not null), 4::bigint, 'nobody else''s is read');
select is(
    tests.error_for('globex.agent', $$ select mark_notifications_read(tests.id('acme')) $$), 'ORG_001', 'strangers have no organisation here'
);

-- The feed.
select is(
    tests.error_of($$ insert into public.activity_log (org_id, kind) values (tests.id('acme'), 'Something happened') $$), '23514',
    'a kind is subject.event'
);
delete from public.activity_log;
select tests.receive('wamid.secret', '{"body": "my IC is 900101-14-5555", "wa_id": "60119990000", "profile_name": "Mdm Lee"}');
select tests.queue('your secret answer');
select tests.error_for('acme.agent', $$ select add_note(tests.id('acme.thread'), 'a secret note', 'a-note-key') $$);
select tests.error_for('acme.agent', $$ select update_contact(tests.id('acme.siti'), '{"phone": "+60123450000", "notes": "secret"}',
    (tests.contact('acme.siti')).updated_at) $$);
select tests.error_for('acme.agent', $$ select assign_conversation(tests.id('acme.thread'), tests.id('acme.owner')) $$);
select cmp_ok((select count(*) from public.activity_log), '>=', 5::bigint, 'all of this is in the feed');
select is_empty(
    $$ select l from public.activity_log l where l::text ~ 'secret|900101|60119990000|60123450000' $$, 'without words or numbers of customers'
);
select is_empty(
    $$ select n from public.notifications n where n::text ~ 'secret|900101|60119990000|60123450000' $$, 'nor are they in notifications'
);
select is_empty(
    $$ select m from realtime.messages m where m.payload::text ~ 'secret|900101|60119990000|60123450000|Lee' $$, 'nor in broadcasts'
);
select is(
    (select array_agg(distinct l.actor_id) from public.activity_log l where l.kind like 'conversation.%' and l.kind <> 'conversation.created'),
    array[tests.id('acme.agent')], 'what a person did carries who'
);
select is((select l.actor_id from public.activity_log l where l.kind = 'conversation.created'), null, 'what a customer did carries nobody');
select is(
    (select count(*) from public.activity_log l where l.kind = 'conversation.assigned' and l.contact_id = tests.id('acme.siti')
        and l.conversation_id = tests.id('acme.thread')),
    1::bigint, 'and about whom'
);

-- Private topics only.
select is((select count(*) from realtime.messages where private is distinct from true), 0::bigint, 'every broadcast is private');
select is_empty(
    $$ select m.topic from realtime.messages m where m.topic !~ '^(org|conversation|user):[0-9a-f-]{36}$' $$, 'on a topic of an organisation, a conversation or a person'
);

select * from finish();
rollback;
