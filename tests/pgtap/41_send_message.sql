-- Sending: what may leave, idempotency, content, and the same question again when a message is claimed (design §5, invariants 4 and 5).

begin;
\ir helpers/load.sql
select no_plan();
select tests.make_world();
select tests.make_conversation('acme', 'acme.shut', 'acme.number', 'acme.ravi', interval '-1 second')
from tests.make_contact('acme', 'acme.ravi', '+60177777777');

create function tests.say(p_arguments text, p_user text default 'acme.agent') returns text language sql as $$
    select tests.error_for(p_user, format('select send_message(%s)', replace(p_arguments, 'THREAD', quote_literal(tests.id('acme.thread')))))
$$;
create function tests.messages() returns bigint language sql security definer as $$ select count(*) from public.messages $$;

-- A text.
select tests.login_as('acme.agent');
create temporary table said on commit drop as
select * from send_message(tests.id('acme.thread'), 'the-first-key', p_body => 'Hello Siti');
select results_eq(
    'select direction, type, body, status, is_uncertain, sent_by, contact_id, wa_message_id from said',
    $$ values ('outbound', 'text', 'Hello Siti', 'pending', false, tests.id('acme.agent'), tests.id('acme.siti'), null::text) $$,
    'a text is a pending message of the agent'
);
select tests.logout();
select results_eq(
    'select message_id, org_id, whatsapp_account_id, conversation_id, lane, state from private.outbox',
    $$ select id, tests.id('acme'), tests.id('acme.number'), tests.id('acme.thread'), 0::smallint, 'ready' from said $$, 'ready in the outbox'
);
select results_eq(
    $$ select last_message_id, last_message_preview, last_message_direction, last_message_type, last_message_at
        from public.conversations where id = tests.id('acme.thread') $$,
    $$ select id, 'Hello Siti', 'outbound', 'text', occurred_at from said $$, 'the conversation shows it'
);
select results_eq(
    $$ select h from tests.heard('conversation:' || tests.id('acme.thread')) h $$,
    $$ select jsonb_build_object('event', 'messages', 'message_ids', jsonb_build_array(id)) from said $$, 'whoever looks at it is told, ids only'
);

-- The same key again.
select tests.login_as('acme.agent');
select is(
    (select m.id from send_message(tests.id('acme.thread'), 'the-first-key', p_body => 'Hello Siti') m), (select id from said),
    'the same key again returns the same message'
);
select tests.logout();
select is(tests.messages(), 1::bigint, 'and makes no second one');
select is((select count(*) from private.outbox), 1::bigint, 'nor sends twice');
select is(tests.say($$ THREAD, 'the-first-key', 'text', 'Something else' $$), 'MESSAGE_005', 'with another text it is a mistake');
select is(tests.say($$ THREAD, 'the-first-key', 'image', 'Hello Siti', '{"link": "https://x.test/a.png"}' $$), 'MESSAGE_005', 'or with another type');
select is(
    tests.error_for('acme.agent', $$ select send_message(tests.id('acme.shut'), 'the-first-key', 'text', 'Hello Siti') $$), 'MESSAGE_005',
    'or in another conversation'
);
select is(tests.error_for('acme.agent', $$ select add_note(tests.id('acme.thread'), 'Hello Siti', 'the-first-key') $$), 'MESSAGE_005', 'or for a note');
select is(
    tests.error_for('globex.agent', $$ select send_message(tests.id('globex.thread'), 'the-first-key', 'text', 'Hello') $$), null,
    'another organisation''s keys are its own'
);
select is(tests.say($$ THREAD, null, 'text', 'x' $$), 'MESSAGE_005', 'a key is needed');
select is(tests.say($$ THREAD, 'short', 'text', 'x' $$), 'MESSAGE_005', 'of 8 characters at least');
select is(tests.say($$ THREAD, repeat('k', 101), 'text', 'x' $$), 'MESSAGE_005', 'and 100 at most');

-- Content.
create temporary table before on commit drop as select tests.messages() as count;
select is(tests.say(replace($$ THREAD, 'key-for-content', ARGS $$, 'ARGS', v.arguments)), v.code, v.arguments) from (values
    ($$ 'text', null $$, 'MESSAGE_002'), ($$ 'text', '' $$, 'MESSAGE_002'), ($$ 'text', E' \n\t ' $$, 'MESSAGE_002'),
    ($$ 'text', repeat('x', 4097) $$, 'MESSAGE_002'), ($$ 'text', 'x', '{}' $$, 'MESSAGE_003'),
    ($$ null, 'x' $$, 'MESSAGE_003'), ($$ 'shout', 'x' $$, 'MESSAGE_003'), ($$ 'note', 'x' $$, 'MESSAGE_003'), ($$ 'system', 'x' $$, 'MESSAGE_003'),
    ($$ 'reaction', 'x' $$, 'MESSAGE_003'),
    ($$ 'image', 'x' $$, 'MESSAGE_003'), ($$ 'image', 'x', '"https://x.test/a.png"' $$, 'MESSAGE_003'),
    ($$ 'image', 'x', '{"link": "http://x.test/a.png"}' $$, 'MESSAGE_003'), ($$ 'image', 'x', '{"link": "https://x.test/a b"}' $$, 'MESSAGE_003'),
    ($$ 'image', 'x', jsonb_build_object('link', 'https://x.test/' || repeat('a', 2000)) $$, 'MESSAGE_003'),
    ($$ 'image', 'x', jsonb_build_object('link', 'https://x.test/a', 'more', repeat('a', 60000)) $$, 'MESSAGE_003'),
    ($$ 'image', repeat('x', 1025), '{"link": "https://x.test/a.png"}' $$, 'MESSAGE_002'),
    ($$ 'location', null, '{"latitude": "3", "longitude": 101}' $$, 'MESSAGE_003'), ($$ 'location', null, '{"latitude": 3}' $$, 'MESSAGE_003'),
    ($$ 'location', null, '{"latitude": 91, "longitude": 101}' $$, 'MESSAGE_003'), ($$ 'location', null, null $$, 'MESSAGE_003'),
    ($$ 'location', repeat('x', 20000), '{"latitude": 3, "longitude": 101}' $$, 'MESSAGE_002'),
    ($$ 'interactive', null, null $$, 'MESSAGE_003'), ($$ 'interactive', null, '7' $$, 'MESSAGE_003'), ($$ 'contacts', null, '"x"' $$, 'MESSAGE_003'),
    ($$ 'template', null, '{"name": "hello"}' $$, 'MESSAGE_003'), ($$ 'template', null, null $$, 'MESSAGE_003'), ($$ 'template', null, jsonb_build_object('template_id', tests.id('nothing')) $$, 'TEMPLATE_001'),
    ($$ 'text', 'x', null, tests.id('nothing') $$, 'MESSAGE_001')
) v (arguments, code);
select is(tests.messages(), (select count from before), 'nothing that was refused was kept');
select is(tests.say($$ THREAD, 'key-image', 'image', 'a caption', '{"link": "https://x.test/a.png"}' $$), null, 'an image by link goes out');
select is(tests.say($$ THREAD, 'key-image', 'image', 'a caption', '{"link": "https://x.test/b.png"}' $$), 'MESSAGE_005', 'its key is not good for another');
select is(tests.say($$ THREAD, 'key-place', 'location', null, '{"latitude": -33.5, "longitude": 151.2}' $$), null, 'a place goes out');
select is(tests.say($$ THREAD, 'key-buttons', 'interactive', null, '{"type": "button"}' $$), null, 'buttons go out');
select is(tests.say($$ THREAD, 'key-4096', 'text', repeat('x', 4096) $$), null, '4096 characters go out');

-- Quoting.
select tests.receive('wamid.question', '{"body": "how much?"}');
select is(tests.say($$ THREAD, 'key-quote', 'text', 'ten', null, (select id from public.messages where wa_message_id = 'wamid.question') $$), null, 'a message is quoted');
select is((select reply_to_wa_message_id from public.messages where client_key = 'key-quote'), 'wamid.question', 'by Meta''s id');
select is(tests.say($$ THREAD, 'key-quote', 'text', 'ten' $$), 'MESSAGE_005', 'the same words to something else are another message');
select is(
    tests.error_for('acme.agent', $$ select send_message(tests.id('acme.shut'), 'key-quote-2', 'text', 'x', null,
        (select id from public.messages where wa_message_id = 'wamid.question')) $$),
    'WA_005', 'before anything else the window decides'
);

-- Who may be written to.
select is(
    tests.error_for('acme.agent', $$ select send_message(tests.id('acme.shut'), 'key-for-shut', 'text', 'x') $$), 'WA_005',
    'after the window nothing free-form leaves'
);
select is(
    tests.error_for('acme.agent', $$ select send_message(tests.id('globex.thread'), 'key-for-globex', 'text', 'x') $$), 'CONVERSATION_001',
    'nothing leaves for another organisation'
);
update public.conversations set window_expires_at = null where id = tests.id('acme.shut');
select is(
    tests.error_for('acme.agent', $$ select send_message(tests.id('acme.shut'), 'key-for-shut', 'text', 'x') $$), 'WA_005',
    'nor to someone who never wrote'
);
update public.contacts set deleted_at = now() where id = tests.id('acme.siti');
select is(tests.say($$ THREAD, 'key-for-trash', 'text', 'x' $$), 'CONTACT_004', 'nor to a contact in the trash');
update public.contacts set deleted_at = null, opt_in_status = 'opted_out' where id = tests.id('acme.siti');
select is(tests.say($$ THREAD, 'key-opted-out', 'text', 'x' $$), null, 'an answer is no marketing: opting out does not stop it');
-- A template, approved unless said otherwise, to somebody whose window is shut.
create function tests.refusal(p_category text, p_consent text, p_is_campaign boolean default false, p_quality text default 'GREEN', p_status text default 'approved')
returns text language sql as $$
    select private.send_refusal('connected', p_quality, false, p_consent, null, 'template', p_status, p_category, p_is_campaign, now())
$$;
select is(tests.refusal(category, consent, is_campaign), code, concat_ws(' ', category, 'to', consent, case when is_campaign then 'by a campaign' end))
from (values
    ('marketing', 'opted_in', false, null), ('marketing', 'opted_out', false, 'CONTACT_008'), ('marketing', 'pending', false, 'CONTACT_008'),
    ('utility', 'opted_in', false, null), ('utility', 'opted_out', false, null), ('utility', 'pending', false, null),
    ('utility', 'pending', true, 'CONTACT_008'), ('utility', 'opted_out', true, 'CONTACT_008'), ('marketing', 'opted_in', true, null),
    ('marketing', 'pending', true, 'CONTACT_008'), ('authentication', 'pending', false, null)
) v (category, consent, is_campaign, code);
select is(tests.refusal('marketing', 'opted_in', false, 'RED'), 'WA_007', 'marketing stops at quality RED');
select is(tests.refusal('utility', 'opted_in', true, 'RED'), 'WA_007', 'so does every campaign');
select is(tests.refusal('utility', 'opted_in', false, 'RED'), null, 'what an agent sends does not');
select is(tests.refusal('utility', 'opted_in', p_status => s), 'WA_002', 'a template that is ' || coalesce(s, 'unknown'))
from unnest(array['draft', 'pending', 'rejected', 'disabled', null]) s;
select is(
    private.send_refusal('connected', 'RED', false, 'pending', now() + interval '1 hour', 'text', null, null, false, now()), null, 'answers do not stop'
);
select is(
    private.send_refusal('connected', 'GREEN', false, 'pending', now(), 'text', null, null, false, now()), 'WA_005', 'at its last instant the window is closed'
);
update public.whatsapp_accounts set status = 'error' where id = tests.id('acme.number');
select is(tests.say($$ THREAD, 'key-for-error', 'text', 'x' $$), 'WA_006', 'nor from a number that is not connected');
update public.whatsapp_accounts set status = 'connected' where id = tests.id('acme.number');

-- The same question when it is claimed.
delete from private.outbox;
select tests.queue('one') as one \gset
select tests.queue('two') as two \gset
select tests.lease('sender');
update public.whatsapp_accounts set status = 'error' where id = tests.id('acme.number');
select is_empty($$ select tests.claim('sender') $$, 'a number that is not connected for the moment hands out nothing');
select is((tests.message(:'one')).status, 'pending', 'and what waits keeps waiting');
update public.whatsapp_accounts set status = 'connected' where id = tests.id('acme.number');
select tests.set_clock(now() + interval '24 hours 1 minute');
select is_empty($$ select tests.claim('sender') $$, 'a window that closed since lets nothing out');
select is((select row (m.status, m.error_code)::text from tests.message(:'one') m), '(failed,WA_005)', 'the message failed with the reason');
select is((tests.message(:'two')).status, 'pending', 'the next of the conversation is asked when its turn comes');
select is_empty($$ select tests.claim('sender') $$, 'which is');
select is((select row (m.status, m.error_code)::text from tests.message(:'two') m), '(failed,WA_005)', 'now');
select is((select count(*) from private.outbox), 0::bigint, 'nothing is left to send');
select is((select count(*) from tests.heard('conversation:' || tests.id('acme.thread')) h where h -> 'message_ids' ? :'one'), 2::bigint, 'the chat was told');

-- Trying again.
select tests.set_clock(now());
select is(tests.error_for('acme.agent', format('select retry_message(%L)', id)), 'MESSAGE_004', 'a waiting message is not retried') from said;
select is(tests.error_for('acme.agent', $$ select retry_message((select id from public.messages where wa_message_id = 'wamid.question')) $$), 'MESSAGE_004', 'nor a received one');
select is(tests.error_for('globex.agent', format('select retry_message(%L)', :'one')), 'MESSAGE_001', 'nor a stranger''s');
select is(tests.error_for('acme.agent', format('select retry_message(%L)', :'one')), null, 'a failed one is');
select is(
    (select row (m.status, m.error_code, m.failed_at, m.send_try)::text from tests.message(:'one') m), '(pending,,,1)', 'it is pending again, its second try'
);
select is((tests.outbox(:'one')).state, 'ready', 'and in the outbox');
select is(tests.error_for('acme.agent', format('select retry_message(%L)', :'one')), 'MESSAGE_004', 'once');
update public.messages set is_uncertain = true where id = :'two';
select is(tests.error_for('acme.agent', format('select retry_message(%L)', :'two')), 'MESSAGE_004', 'one that may have arrived is never sent again');
update public.messages set is_uncertain = false where id = :'two';
select tests.set_clock(now() + interval '24 hours 1 minute');
select is(tests.error_for('acme.agent', format('select retry_message(%L)', :'two')), 'WA_005', 'and the window decides again');

-- Notes.
select is(tests.error_for('acme.agent', $$ select add_note(tests.id('acme.shut'), 'call him', 'the-note-key') $$), null, 'a note needs no window');
select is(tests.error_for('acme.agent', $$ select add_note(tests.id('acme.shut'), 'call him', 'the-note-key') $$), null, 'the same key again');
select is((select count(*) from public.messages where type = 'note' and direction = 'internal'), 1::bigint, 'is the same note');
select is(tests.error_for('acme.agent', $$ select add_note(tests.id('acme.shut'), ' ', 'another-note-key') $$), 'MESSAGE_002', 'an empty one is refused');
select is((select count(*) from private.outbox o join public.messages m on m.id = o.message_id where m.direction <> 'outbound'), 0::bigint, 'and none is ever sent');

select * from finish();
rollback;
