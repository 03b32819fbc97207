-- Two sessions at once. The first acts and stays in its transaction, the second has to wait for it; what both get, and what is left.

\ir helpers/sessions.sql
select plan(54);

-- Onboarding.
select tests.create_user('late');
select tests.sit('one', 'late'), tests.sit('two', 'late');
select matches(
    tests.race($$ select complete_onboarding('Late', 'One') $$, $$ select complete_onboarding('Late', 'Two') $$), '^[0-9a-f-]{36} \| !ORG_002$',
    'two onboardings of one person: one goes through'
);
select is((select count(*) from public.org_memberships where user_id = tests.id('late')), 1::bigint, 'and there is one membership');
select is((select count(*) from public.organizations where name in ('One', 'Two')), 1::bigint, 'of one organisation');

-- Invitations.
select tests.create_user('acme.invited');
select tests.sit('one', 'acme.invited'), tests.sit('two', 'acme.invited');
select is(
    tests.race($$ select accept_invitation('token-of-acme') $$, $$ select accept_invitation('token-of-acme') $$), tests.id('acme') || ' | !ORG_003',
    'an invitation is accepted once'
);
select is((select count(*) from public.activity_log where kind = 'member.joined'), 1::bigint, 'and told once');
select tests.sit('one', 'acme.owner'), tests.sit('two', 'acme.admin');
select matches(
    tests.race($$ select i.id from invite_member(tests.id('acme'), 'new@people.test', 'agent') i $$,
        $$ select i.id from invite_member(tests.id('acme'), 'new@people.test', 'viewer') i $$), '^[0-9a-f-]{36} \| [0-9a-f-]{36}$',
    'two invitations for one address'
);
select is(
    (select array_agg(role) from public.org_invitations where email = 'new@people.test' and revoked_at is null), array['viewer'], 'leave one that is open'
);

-- Members.
select is(
    tests.race($$ select set_member_role(tests.id('acme'), tests.id('acme.admin'), 'agent') $$,
        $$ select set_member_role(tests.id('acme'), tests.id('acme.viewer'), 'agent') $$), ' | !AUTH_003',
    'who is demoted while changing a role has no right to it any more'
);
select is((select role from public.org_memberships where user_id = tests.id('acme.viewer')), 'viewer', 'and changed nothing');
select tests.tell('one', 'reset role'), tests.tell('two', 'reset role');
update public.org_memberships set role = 'admin' where user_id in (tests.id('acme.admin'), tests.id('acme.extra'));
select tests.sit('one', 'acme.admin'), tests.sit('two', 'acme.extra');
select is(
    tests.race($$ select set_member_role(tests.id('acme'), tests.id('acme.extra'), 'viewer') $$,
        $$ select set_member_role(tests.id('acme'), tests.id('acme.admin'), 'viewer') $$), ' | !AUTH_003', 'two admins who demote each other: one does'
);
select tests.sit('one', 'acme.owner'), tests.sit('two', 'acme.owner');
select is(
    tests.race($$ select transfer_ownership(tests.id('acme'), tests.id('acme.admin')) $$,
        $$ select transfer_ownership(tests.id('acme'), tests.id('acme.agent')) $$), ' | !AUTH_003', 'ownership is given away once'
);
select is(
    (select array_agg(user_id) from public.org_memberships where role = 'owner' and org_id = tests.id('acme')), array[tests.id('acme.admin')],
    'and has one owner'
);
update public.org_memberships m set role = split_part(p.email, '@', 1)
from (select user_id, replace(split_part(email, '@', 1), 'acme.', '') as email from public.profiles where email like 'acme.%') p
where p.user_id = m.user_id and p.email in ('owner', 'admin', 'agent', 'viewer');
update public.org_memberships set role = 'owner' where user_id in (tests.id('acme.owner'), tests.id('acme.admin'));
select tests.sit('one', 'acme.owner'), tests.sit('two', 'acme.admin');
select is(
    tests.race($$ select transfer_ownership(tests.id('acme'), tests.id('acme.agent')) $$,
        $$ select transfer_ownership(tests.id('acme'), tests.id('acme.owner')) $$), ' | ', 'two owners who hand over at once'
);
select cmp_ok((select count(*) from public.org_memberships where role = 'owner' and org_id = tests.id('acme')), '>=', 1::bigint, 'leave an owner');
update public.org_memberships set role = replace(p.email, 'acme.', '')
from (select user_id, split_part(email, '@', 1) as email from public.profiles) p
where p.user_id = org_memberships.user_id and p.email in ('acme.owner', 'acme.admin', 'acme.agent');

-- Assigning to somebody who is losing the right to answer.
select tests.sit('one', 'acme.owner'), tests.sit('two', 'acme.admin');
select is(
    tests.race($$ select set_member_role(tests.id('acme'), tests.id('acme.extra'), 'viewer') $$,
        $$ select assign_conversation(tests.id('acme.thread'), tests.id('acme.extra')) $$), ' | !CONVERSATION_002', 'nothing is assigned to who just lost the right'
);
update public.org_memberships set role = 'agent' where user_id = tests.id('acme.extra');
select is(
    tests.race($$ select assign_conversation(tests.id('acme.thread'), tests.id('acme.extra')) $$,
        $$ select set_member_role(tests.id('acme'), tests.id('acme.extra'), 'viewer') $$), ' | ', 'who loses it just after'
);
select is((tests.conversation('acme.thread')).assigned_to, null, 'loses the conversation as well');

-- Contacts and tags.
select tests.sit('one', 'acme.agent'), tests.sit('two', 'acme.owner');
select (tests.contact('acme.siti')).updated_at as seen \gset
select matches(
    tests.race(format($$ select (update_contact(tests.id('acme.siti'), '{"company": "One"}', %L)).company $$, :'seen'),
        format($$ select (update_contact(tests.id('acme.siti'), '{"company": "Two"}', %L)).company $$, :'seen')), '^One \| !CONTACT_006$',
    'the second edit of what both saw is refused'
);
select matches(
    tests.race($$ select (create_contact(tests.id('acme'), '{"phone": "+60133333333"}')).id $$, $$ select (create_contact(tests.id('acme'), '{"phone": "+60133333333"}')).id $$),
    '^[0-9a-f-]{36} \| !CONTACT_002$', 'one phone is one contact'
);
insert into public.tags (org_id, name) select tests.id('acme'), 'tag ' || i from generate_series(2, 49) i;
select tests.sit('one', 'acme.campaign_manager');
select is(
    tests.race($$ select (create_tag(tests.id('acme'), 'fiftieth')).name $$, $$ select (create_tag(tests.id('acme'), 'fifty-first')).name $$), 'fiftieth | !TAG_002',
    'the limit of tags holds'
);
select tests.sit('one', 'acme.agent');
select is(
    tests.race($$ select set_contact_tags(tests.id('acme.ravi'), array[tests.id('acme.tag')]) $$, $$ select delete_tag(tests.id('acme.tag')) $$), ' | ',
    'a tag that is given while it is deleted'
);
select is((select count(*) from public.contact_tags where contact_id = tests.id('acme.ravi')), 0::bigint, 'is gone');
select tests.sit('one', 'acme.owner'), tests.sit('two', 'acme.agent');
select matches(
    tests.race($$ select delete_tag((select id from public.tags where name = 'tag 2')) $$,
        format('select set_contact_tags(tests.id(%L), array[%L::uuid])', 'acme.ravi', (select id from public.tags where name = 'tag 2'))), '^ \| !TAG_001$',
    'one that is deleted while it is given is not found'
);

-- Messages with one key.
select tests.sit('one', 'acme.agent'), tests.sit('two', 'acme.owner');
select is(
    (select split_part(r, ' | ', 1) = split_part(r, ' | ', 2) from tests.race($$ select (send_message(tests.id('acme.thread'), 'one-key-twice', 'text', 'hi')).id $$,
        $$ select (send_message(tests.id('acme.thread'), 'one-key-twice', 'text', 'hi')).id $$) r), true, 'one key at once is one message'
);
select is((select count(*) from private.outbox), 1::bigint, 'sent once');
select tests.make_conversation('acme', 'acme.ravis', 'acme.number', 'acme.ravi', interval '1 day');
select matches(
    tests.race($$ select (send_message(tests.id('acme.thread'), 'one-key-two-threads', 'text', 'hi')).id $$,
        $$ select (send_message(tests.id('acme.ravis'), 'one-key-two-threads', 'text', 'hi')).id $$), '^[0-9a-f-]{36} \| !MESSAGE_005$', 'not in two conversations'
);
update public.messages set status = 'failed' where id = tests.id('acme.failed');
select is(
    tests.race($$ select (retry_message(tests.id('acme.failed'))).status $$, $$ select (retry_message(tests.id('acme.failed'))).status $$), 'pending | !MESSAGE_004',
    'two who try again: one does'
);
delete from private.outbox;

-- Two appliers.
select tests.sit('one', 'the worker'), tests.sit('two', 'the worker');
select tests.tell('one', 'reset role'), tests.tell('two', 'reset role');
select is(
    tests.race($$ select tests.receive('wamid.race', '{"wa_id": "60144444444"}') $$, $$ select tests.receive('wamid.race', '{"wa_id": "60144444444"}') $$), '{} | {}',
    'one message of somebody new, applied by two'
);
select is((select count(*) from public.messages where wa_message_id = 'wamid.race'), 1::bigint, 'is one message');
select is((select count(*) from public.contacts where wa_id = '60144444444'), 1::bigint, 'of one contact');
select is((select unread_count from public.conversations c join public.contacts p on p.id = c.contact_id where p.wa_id = '60144444444'), 1, 'unread once');
select is(
    tests.race($$ select tests.receive('wamid.one', '{"wa_id": "60144444444"}') $$, $$ select tests.receive('wamid.two', '{"wa_id": "60144444444", "username": "new"}') $$),
    '{} | {}', 'two messages of one person'
);
select is((select unread_count from public.conversations c join public.contacts p on p.id = c.contact_id where p.wa_id = '60144444444'), 3, 'are both unread');

-- The applier and a reader.
select tests.sit('two', 'acme.agent');
select is(tests.race($$ select tests.receive('wamid.read-1') $$, $$ select mark_conversation_read(tests.id('acme.thread')) $$), '{} | ', 'a message comes, then it is read');
select is((tests.conversation('acme.thread')).unread_count, 0, 'nothing is unread');
select tests.receive('wamid.read-2');
select tests.sit('one', 'acme.agent'), tests.tell('two', 'reset role');
select is(tests.race($$ select mark_conversation_read(tests.id('acme.thread')) $$, $$ select tests.receive('wamid.read-3') $$), ' | {}', 'it is read, then a message comes');
select is((tests.conversation('acme.thread')).unread_count, 1, 'which is unread');
select is_empty('select * from tests.wrong_unread_counts()', 'counts are recounts');

-- Senders. The sessions keep the locks that show that they live.
select tests.tell('one', 'reset role');
select tests.queue('for two claims') as message \gset
select tests.say('one', $$ select tests.lease('sender') $$);
select is(
    tests.race($$ select tests.claim('sender') $$, $$ select tests.claim('sender') $$), :'message' || ' | at once | ', 'two claims of one sender: a message is handed out once'
);
select tests.record(:'message', 'retry', '{"retry_seconds": 0}');
update private.phone_leases set lease_until = clock_timestamp() + interval '300 milliseconds';
select tests.tell('one', 'begin');
select is(tests.say('one', $$ select tests.claim('sender') $$), :'message', 'a claim in the last moment of a lease');
select pg_catalog.pg_sleep(greatest(0, extract(epoch from lease_until - clock_timestamp()))) from private.phone_leases;
select tests.send('two', $$ select tests.lease('other') $$);
select is(tests.waits('two'), true, 'holds up the takeover');
select tests.tell('one', 'commit'), tests.answer('two');
select is(
    (select row (o.state, m.is_uncertain)::text from private.outbox o join public.messages m on m.id = o.message_id where o.message_id = :'message'), '(uncertain,t)',
    'which finds the claim and makes it uncertain'
);
select is(tests.say('one', $$ select tests.claim('sender') $$), null, 'the old holder claims nothing more');

-- A takeover and a late report.
select tests.record(:'message', 'accepted', '{"attempt": 2, "wa_message_id": "wamid.settled"}');
select tests.queue('reported late') as message \gset
select tests.say('two', $$ select tests.lease('other') $$), tests.say('two', $$ select tests.claim('other') $$);
update private.phone_leases set lease_until = clock_timestamp();
select is(
    tests.race(format($$ select tests.record(%L, 'accepted', '{"wa_message_id": "wamid.late"}') $$, :'message'), $$ select tests.lease('third') $$), ' | ',
    'a report that comes with the takeover'
);
select is((select row (m.status, m.is_uncertain, m.wa_message_id)::text from tests.message(:'message') m), '(pending,f,wamid.late)', 'is believed');

-- Disconnecting while a claim is under way.
select tests.queue('on its way') as message \gset
select tests.queue('waits', 'acme.ravis') as waiting \gset
select tests.say('one', $$ select tests.lease('third') $$);
select tests.sit('two', 'acme.owner');
select is(
    tests.race($$ select tests.claim('third', 'acme.number', 1) $$, $$ select disconnect_whatsapp_account(tests.id('acme.number')) $$), :'message' || ' | ',
    'a number is disconnected while a message is claimed'
);
select is((tests.message(:'message')).status, 'pending', 'which is on its way');
select is((tests.message(:'waiting')).status, 'failed', 'what was not claimed failed');
select tests.record(:'message', 'accepted', '{"wa_message_id": "wamid.away"}');
select tests.tell('two', 'reset role');
update public.whatsapp_accounts set status = 'connected', connected_at = now() where id = tests.id('acme.number');

-- A status and the answer that names its message.
create function tests.named(p_wa_message_id text) returns text language sql as $$
    select status || (select count(*) from private.parked_statuses s where s.wa_message_id = p_wa_message_id) from public.messages where wa_message_id = p_wa_message_id
$$;
select tests.queue('named first') as message \gset
select is(
    tests.race(format($$ select tests.record(%L, 'accepted', '{"attempt": 0, "wa_message_id": "wamid.named-1"}') $$, :'message'),
        $$ select tests.apply_statuses(jsonb_build_array(tests.status('wamid.named-1', 'read'))) $$), ' | {}', 'the answer first, the status waits'
);
select is(tests.named('wamid.named-1'), 'read0', 'and finds the message');
select tests.queue('named later') as message \gset
select is(
    tests.race($$ select tests.apply_statuses(jsonb_build_array(tests.status('wamid.named-2', 'read'))) $$,
        format($$ select tests.record(%L, 'accepted', '{"attempt": 0, "wa_message_id": "wamid.named-2"}') $$, :'message')), '{} | ', 'the status first, the answer waits'
);
select is(tests.named('wamid.named-2'), 'read0', 'and finds the status');

-- A conversation started from both sides.
select tests.make_contact('acme', 'acme.mei', '+60155555555');
select tests.sit('one', 'acme.agent');
select matches(
    tests.race($$ select start_conversation(tests.id('acme.mei'), tests.id('acme.number')) $$, $$ select tests.receive('wamid.mei', '{"wa_id": "60155555555"}') $$),
    '^[0-9a-f-]{36} \| \{\}$', 'an agent starts a conversation as the customer writes'
);
select is((select array_agg(status) from public.conversations where contact_id = tests.id('acme.mei')), array['open'], 'there is one, and it is open');

select * from finish();
\ir helpers/clean.sql
