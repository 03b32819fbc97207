-- Inbound messages: once each, in any order, from anybody, by Meta's clock; nothing understood half is lost (design §5, invariants 2, 6, 7).

begin;
\ir helpers/load.sql
select plan(76);
select tests.make_world();

create function tests.thread_of(p_wa_id text) returns public.conversations language sql security definer as $$
    select c from public.conversations c join public.contacts p on p.id = c.contact_id
    where p.org_id = tests.id('acme') and (p.wa_id = p_wa_id or p.bsuid = p_wa_id)
$$;

-- A first message from somebody unknown.
select is(tests.receive('wamid.new', '{"wa_id": "60111234567", "profile_name": "  Mei  ", "username": "@mei", "body": "hi"}'), '{}', 'a stranger writes');
select results_eq(
    $$ select phone, wa_id, full_name, username, source, opt_in_status from public.contacts where wa_id = '60111234567' $$,
    $$ values ('+60111234567', '60111234567', 'Mei', 'mei', 'whatsapp', 'pending') $$, 'and becomes a contact'
);
select is(
    (select row (c.status, c.folder, c.unread_count, c.last_message_preview, c.last_message_direction, c.window_expires_at - c.last_inbound_at)::text
        from tests.thread_of('60111234567') c),
    '(open,active,1,hi,inbound,"1 day")', 'with an open conversation and a window of a day'
);
select results_eq(
    $$ select direction, type, body, status, client_key, sent_by from public.messages where wa_message_id = 'wamid.new' $$,
    $$ values ('inbound', 'text', 'hi', 'received', null::text, null::uuid) $$, 'the message is kept'
);
select is((tests.activities('acme')), array['contact.created', 'conversation.created'], 'the feed tells of both');
select is(
    (select array_agg(m.role order by m.role) from public.notifications n join public.org_memberships m using (org_id, user_id)
        where n.kind = 'conversation.unassigned'),
    array['admin', 'agent', 'owner'], 'and those who may answer are told of a new conversation'
);
select is(
    (select array_agg(distinct h ->> 'event' order by h ->> 'event') from tests.heard('org:' || tests.id('acme')) h), array['activity', 'contacts', 'inbox'],
    'browsers of the organisation refetch'
);
select is((select count(*) from tests.heard('org:' || tests.id('globex'))), 0::bigint, 'others hear nothing');

-- Delivered again.
select is(tests.receive('wamid.new', '{"wa_id": "60111234567", "body": "hi"}'), '{}', 'the same delivery');
select is(tests.apply(jsonb_build_array(tests.inbound('wamid.new', '{"wa_id": "60111234567"}'), tests.inbound('wamid.new', '{"wa_id": "60111234567"}'))),
    '{}', 'and twice in one batch');
select is((select count(*) from public.messages where wa_message_id = 'wamid.new'), 1::bigint, 'is one message');
select is((tests.thread_of('60111234567')).unread_count, 1, 'unread once');
select is((select count(*) from public.activity_log), 2::bigint, 'told once');
select is((select count(*) from public.contacts where wa_id = '60111234567'), 1::bigint, 'of one contact');

-- Meta's clock rules window and order, whenever it arrives.
select tests.receive('wamid.b', jsonb_build_object('body', 'second', 'occurred_at', now() - interval '1 hour'));
select tests.receive('wamid.a', jsonb_build_object('body', 'first', 'occurred_at', now() - interval '2 hours'));
select is((tests.conversation('acme.thread')).window_expires_at, now() + interval '23 hours', 'a late old message moves the window not back');
select is((tests.conversation('acme.thread')).last_message_preview, 'second', 'nor the preview');
select is((tests.conversation('acme.thread')).unread_count, 2, 'but is unread');
select results_eq(
    $$ select body from public.messages where conversation_id = tests.id('acme.thread') order by occurred_at, id $$, array['first', 'second'],
    'and stands in its place'
);
select tests.receive('wamid.ancient', jsonb_build_object('wa_id', '60119999999', 'occurred_at', now() - interval '3 days'));
select is((tests.thread_of('60119999999')).status, 'expired', 'a message that comes after days opens no window');
select tests.receive('wamid.quiet', jsonb_build_object('occurred_at', now(), 'opens_window', false, 'type', 'system', 'body', 'changed number'));
select is((tests.conversation('acme.thread')).window_expires_at, now() + interval '23 hours', 'what is no turn of the customer opens none either');
select is((tests.contact('acme.siti')).last_message_at, now(), 'the contact shows when they last wrote');
update public.conversations set status = 'resolved' where id = tests.id('acme.thread');
select tests.receive('wamid.quiet-2', jsonb_build_object('opens_window', false));
select is((tests.conversation('acme.thread')).status, 'resolved', 'nor reopens anything');
update public.conversations set is_quiet = true where id = tests.id('acme.thread');
select tests.receive('wamid.answer');
select is((select row (status, folder)::text from public.conversations where id = tests.id('acme.thread')), '(open,active)', 'a real one does');
select is_empty('select * from tests.wrong_unread_counts()', 'counts are recounts');

-- Placeholders of undelivered kinds (131060) and the real message under the same id.
select tests.receive('wamid.ad', '{"type": "unsupported", "body": null, "is_placeholder": true, "payload": {"errors": [{"code": 131060}]}}');
select is((tests.wa_message('wamid.ad')).type, 'unsupported', 'a placeholder is shown as such');
select tests.receive('wamid.ad', '{"type": "unsupported", "body": null, "is_placeholder": true}');
create temporary table counted on commit drop as select (tests.conversation('acme.thread')).unread_count as count;
select tests.receive('wamid.ad', '{"body": "I saw your ad", "payload": {"referral": {}}}');
select results_eq(
    $$ select type, body, payload from public.messages where wa_message_id = 'wamid.ad' $$,
    $$ values ('text', 'I saw your ad', '{"referral": {}}'::jsonb) $$, 'the real message takes its place'
);
select is((tests.conversation('acme.thread')).unread_count, (select count from counted), 'it was unread already');
select is((tests.conversation('acme.thread')).last_message_preview, 'I saw your ad', 'and is in the preview');
select tests.receive('wamid.ad', '{"type": "unsupported", "body": null, "is_placeholder": true}');
select is((tests.wa_message('wamid.ad')).body, 'I saw your ad', 'a placeholder that comes late changes nothing');
select tests.apply(jsonb_build_array(
    tests.inbound('wamid.both', '{"type": "unsupported", "body": null, "is_placeholder": true}'), tests.inbound('wamid.both', '{"body": "real"}')));
select is((tests.wa_message('wamid.both')).body, 'real', 'in one batch the real one wins');
select tests.receive('wamid.never', '{"type": "unsupported", "body": null, "payload": {"type": "poll"}}');
select tests.receive('wamid.never', '{"body": "changed"}');
select is((tests.wa_message('wamid.never')).type, 'unsupported', 'what is no placeholder is not replaced');

-- Types.
select tests.receive('wamid.type.' || t, jsonb_build_object('type', t, 'payload', '{"x": 1}'::jsonb))
from unnest(array['text', 'image', 'video', 'audio', 'document', 'sticker', 'location', 'contacts', 'interactive', 'button', 'order', 'system',
    'reaction', 'poll_from_the_future', 'note', 'template']) t;
select is(
    (select array_agg(m.type order by m.type) from public.messages m where m.wa_message_id like 'wamid.type.%' and m.type = split_part(m.wa_message_id, '.', 3)),
    array['audio', 'button', 'contacts', 'document', 'image', 'interactive', 'location', 'order', 'reaction', 'sticker', 'system', 'text', 'video'],
    'known kinds are kept as they are'
);
select is(
    (select array_agg(m.wa_message_id order by m.wa_message_id) from public.messages m where m.type = 'unsupported' and m.wa_message_id like 'wamid.type.%'),
    array['wamid.type.note', 'wamid.type.poll_from_the_future', 'wamid.type.template'], 'unknown ones, and ours, are kept as unsupported'
);
select is((tests.wa_message('wamid.type.poll_from_the_future')).payload, '{"x": 1}'::jsonb, 'with all they carried');
select tests.receive('wamid.long', jsonb_build_object('body', repeat('x', 20000)));
select is(length((tests.wa_message('wamid.long')).body), 10000, 'a body that is too long is cut, not refused');

-- Business-scoped user ids.
select is(tests.receive('wamid.bsuid', '{"wa_id": null, "bsuid": "MY.13491208655302741918", "profile_name": "Hidden"}'), '{}', 'a sender without a number');
select results_eq(
    $$ select phone, wa_id, full_name from public.contacts where bsuid = 'MY.13491208655302741918' $$, $$ values (null::text, null::text, 'Hidden') $$,
    'is a contact by BSUID'
);
select tests.receive('wamid.both-ids', '{"wa_id": "60122223333", "bsuid": "MY.13491208655302741918"}');
select is((select count(*) from public.contacts where bsuid = 'MY.13491208655302741918' and wa_id = '60122223333'), 1::bigint, 'that learns its number when it comes');
select is((tests.thread_of('60122223333')).unread_count, 2, 'in the same conversation');
select tests.receive('wamid.siti', '{"bsuid": "MY.777777"}');
select is((tests.contact('acme.siti')).bsuid, 'MY.777777', 'a known number learns its BSUID');
select tests.receive('wamid.siti-hidden', '{"wa_id": null, "bsuid": "MY.777777"}');
select is((tests.wa_message('wamid.siti-hidden')).conversation_id, tests.id('acme.thread'), 'and is recognised by it alone');
select tests.receive('wamid.clash', '{"bsuid": "MY.13491208655302741918"}');
select is((tests.wa_message('wamid.clash')).contact_id, tests.id('acme.siti'), 'when both name different people, the number decides');
select is((tests.contact('acme.siti')).bsuid, 'MY.777777', 'and nothing is overwritten');
select is(tests.receive('wamid.nobody', '{"wa_id": null, "bsuid": null, "webhook_event_id": 9}'), array['9: a sender without a phone number or user id'],
    'a sender without any identity is reported');
select is(
    tests.apply(jsonb_build_array(tests.inbound('wamid.nobody', '{"wa_id": "x", "webhook_event_id": 9}'), tests.inbound('wamid.somebody'))),
    array['9: a sender without a phone number or user id'], 'and costs its neighbours nothing'
);
select is((tests.wa_message('wamid.somebody')).contact_id, tests.id('acme.siti'), 'which are kept');

-- Contacts that exist.
select is((tests.contact('acme.siti')).full_name, 'Acme.Siti', 'a name we gave is not overwritten by a profile');
select tests.make_contact('acme', 'acme.typed', '+60133334444');
update public.contacts set wa_id = null, full_name = null where id = tests.id('acme.typed');
select tests.receive('wamid.typed', '{"wa_id": "60133334444", "profile_name": "Tan"}');
select is((select row (wa_id, full_name)::text from public.contacts where id = tests.id('acme.typed')), '(60133334444,Tan)', 'a contact typed by hand is found by phone');
update public.contacts set deleted_at = now() where id = tests.id('acme.typed');
select tests.receive('wamid.typed-2', '{"wa_id": "60133334444"}');
select is((tests.contact('acme.typed')).deleted_at, null, 'who writes comes back from the trash');

select tests.make_contact('acme', 'acme.moved', '+60136660000', 'MY.55554444');
select tests.receive('wamid.moved', '{"wa_id": "60136661111", "bsuid": "MY.55554444"}');
select is((select row (phone, wa_id)::text from public.contacts where id = tests.id('acme.moved')), '(+60136660000,60136661111)', 'a person with a new number is known by BSUID and answered there');
select tests.make_contact('acme', 'acme.mistyped', '+60137770000');
update public.contacts set wa_id = '60137771111' where id = tests.id('acme.mistyped');
select tests.receive('wamid.other', '{"wa_id": "60137770000"}');
select isnt((tests.wa_message('wamid.other')).contact_id, tests.id('acme.mistyped'), 'a phone somebody typed names nobody who writes from another number');
select is((select phone from public.contacts where wa_id = '60137770000'), null, 'whoever writes from it is a contact of their own, whose phone is taken');
select is((tests.contact('acme.mistyped')).wa_id, '60137771111', 'and the other stays as they were');

-- Reactions.
select tests.sent('wamid.ours') as ours \gset
select tests.receive('wamid.r1', jsonb_build_object('type', 'reaction', 'body', '👍', 'reaction_to', 'wamid.ours', 'opens_window', false, 'occurred_at', now()));
select is((tests.message(:'ours')).reactions #>> '{contact,emoji}', '👍', 'a reaction is shown on its message');
select is((select count(*) from public.messages where wa_message_id = 'wamid.r1'), 0::bigint, 'not as a message');
select tests.receive('wamid.r0', jsonb_build_object('type', 'reaction', 'body', '👎', 'reaction_to', 'wamid.ours', 'opens_window', false,
    'occurred_at', now() - interval '1 minute'));
select is((tests.message(:'ours')).reactions #>> '{contact,emoji}', '👍', 'an older one that comes late does not win');
select tests.receive('wamid.r2', jsonb_build_object('type', 'reaction', 'body', null, 'reaction_to', 'wamid.ours', 'opens_window', false,
    'occurred_at', now() + interval '1 minute'));
select is((tests.message(:'ours')).reactions #>> '{contact,emoji}', null, 'it can be taken back');
select tests.apply(jsonb_build_array(
    tests.inbound('wamid.r2-late', jsonb_build_object('type', 'reaction', 'body', '🙏', 'reaction_to', 'wamid.ours', 'opens_window', false,
        'occurred_at', now() + interval '3 minutes')),
    tests.inbound('wamid.r2-early', jsonb_build_object('type', 'reaction', 'body', '😀', 'reaction_to', 'wamid.ours', 'opens_window', false,
        'occurred_at', now() + interval '2 minutes'))));
select is((tests.message(:'ours')).reactions #>> '{contact,emoji}', '🙏', 'of two in one batch the later one counts');
select tests.apply(jsonb_build_array(tests.inbound('wamid.r3', '{"type": "reaction", "body": "🎉", "reaction_to": "wamid.r-target", "opens_window": false}'),
    tests.inbound('wamid.r-target')));
select is((tests.wa_message('wamid.r-target')).reactions #>> '{contact,emoji}', '🎉', 'a reaction to a message of the same batch');
select is((select count(*) from public.messages where wa_message_id = 'wamid.r3'), 0::bigint, 'is on it as well');
select tests.receive('wamid.r4', '{"type": "reaction", "body": "🎉", "reaction_to": "wamid.unseen", "opens_window": false}');
select is((tests.wa_message('wamid.r4')).type, 'reaction', 'to a message we never saw, it is a line of its own');

-- Answers.
select tests.receive('wamid.reply', '{"reply_to": "wamid.ours"}');
select is((tests.wa_message('wamid.reply')).reply_to_message_id, :'ours', 'an answer names the message');
select tests.apply(jsonb_build_array(tests.inbound('wamid.q', jsonb_build_object('occurred_at', now())),
    tests.inbound('wamid.q-reply', jsonb_build_object('occurred_at', now() + interval '1 second', 'reply_to', 'wamid.q'))));
select is((tests.wa_message('wamid.q-reply')).reply_to_message_id, (tests.wa_message('wamid.q')).id, 'in the same batch too');

-- Numbers.
select is(tests.receive('wamid.lost', '{"phone_number_id": "404", "webhook_event_id": 12}'), array['12: no connected number 404'], 'an unknown number is reported');
select is((select count(*) from public.messages where wa_message_id = 'wamid.lost'), 0::bigint, 'and leaves nothing');
select is(
    tests.apply(jsonb_build_array(tests.inbound('wamid.1001'), tests.inbound('wamid.1002', '{"phone_number_id": "1002", "wa_id": "60123451001"}'))), '{}',
    'one batch, two organisations'
);
select is((select org_id from public.contacts where id = (tests.wa_message('wamid.1002')).contact_id), tests.id('globex'), 'each gets its own');
select is((select count(*) from public.contacts where wa_id = '60123451001'), 2::bigint, 'and knows the person for itself');
select is(
    (select count(*) from public.messages m join public.conversations c on c.id = m.conversation_id
        where m.org_id <> c.org_id or m.contact_id <> c.contact_id or m.whatsapp_account_id <> c.whatsapp_account_id), 0::bigint,
    'a message belongs to whom its conversation belongs'
);

-- A large batch.
select tests.apply((select jsonb_agg(tests.inbound('wamid.many.' || i, jsonb_build_object('wa_id', (60140000000 + i % 50)::text))) from generate_series(1, 500) i));
select is((select count(*) from public.messages where wa_message_id like 'wamid.many.%'), 500::bigint, 'five hundred messages at once');
select is((select count(*) from public.contacts where wa_id like '6014000%'), 50::bigint, 'of fifty people');
select is((tests.thread_of('60140000007')).unread_count, 10, 'ten each');
select is((select count(*) from tests.heard('org:' || tests.id('acme')) h where h ? 'all'), 0::bigint, 'fifty conversations are named');
select tests.apply((select jsonb_agg(tests.inbound('wamid.wide.' || i, jsonb_build_object('wa_id', (60150000000 + i)::text))) from generate_series(1, 101) i));
select is((select count(*) from tests.heard('org:' || tests.id('acme')) h where h = '{"event": "inbox", "all": true}'), 1::bigint, 'above a hundred, all');
select is_empty('select * from tests.wrong_unread_counts()', 'counts are recounts');
select is_empty(
    $$
        select c.id from public.conversations c
        where (c.last_message_id, c.last_message_at) is distinct from (
            select (m.id, m.occurred_at) from public.messages m where m.conversation_id = c.id and m.direction <> 'internal'
            order by m.occurred_at desc, m.id desc limit 1)
            and exists (select from public.messages m where m.conversation_id = c.id)
    $$,
    'the last message is the last message'
);

select * from finish();
rollback;
