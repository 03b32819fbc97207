-- STOP and START (PRD §5.6; design §5): consent by a word, recorded, confirmed once; counters of messages on the way.

begin;
\ir helpers/load.sql
select no_plan();
select tests.make_world();

create function tests.writes(p_body text, p_id text, p_changes jsonb default '{}') returns text[] language sql as $$
    select tests.receive(p_id, jsonb_build_object('body', p_body) || p_changes)
$$;
create function tests.status_of(p_contact text default 'acme.siti') returns text language sql as $$ select (tests.contact(p_contact)).opt_in_status $$;
create function tests.replies() returns bigint language sql security definer as $$ select count(*) from public.messages where direction = 'outbound' $$;

select tests.writes('hello, please STOP by tomorrow', 'w.0');
select is(tests.status_of(), 'pending', 'a sentence is no word');
select tests.writes(' Stop! ', 'w.1');
select is(tests.status_of(), 'opted_out', 'a word is, whatever its case, blanks and punctuation');
select results_eq(
    $$ select old_status, new_status, source, evidence, actor_id from public.contact_consents $$,
    $$ select 'pending', 'opted_out', 'whatsapp', 'STOP, message ' || (tests.wa_message('w.1')).id, null::uuid $$,
    'on record with the word and the message'
);
select is((select row (type, body, status, sent_by)::text from public.messages where direction = 'outbound'),
    '(text,"You will get no more promotional messages from Acme. To get them again, reply START.",pending,)', 'one confirmation, in its language, from nobody');
select is((select count(*) from private.outbox), 1::bigint, 'leaves by the ordinary outbox');
select is((tests.conversation('acme.thread')).last_message_direction, 'outbound', 'and is the last word of the thread');
select is((tests.wa_message('w.1')).body, ' Stop! ', 'the message itself stays');
select is((tests.conversation('acme.thread')).unread_count, 2, 'and is unread like any other');
select is(tests.error_for('acme.agent', $$ select send_message(tests.id('acme.thread'), 'answer-them', 'text', 'Sure, goodbye') $$), null, 'they can still be answered');

select tests.writes(' Stop! ', 'w.1');
select is((select count(*) from public.contact_consents), 1::bigint, 'delivered again it changes nothing');
select tests.writes('UNSUBSCRIBE', 'w.2');
select is((select count(*) from public.contact_consents), 1::bigint, 'nor does another word for the same');
select is(tests.replies(), 2::bigint, 'and there is no second confirmation');

select tests.writes('Langgan', 'w.3', jsonb_build_object('occurred_at', now() + interval '5 seconds'));
select is(tests.status_of(), 'opted_in', 'in Malay, and back in');
select is((tests.contact('acme.siti')).opt_in_at, now() + interval '5 seconds', 'at the time of the message');
select is((select body from public.messages where direction = 'outbound' order by id desc limit 1),
    'Anda akan menerima mesej promosi daripada Acme. Untuk berhenti, balas BERHENTI.', 'answered in Malay');
select tests.writes('STOP', 'w.4', jsonb_build_object('occurred_at', now() + interval '2 seconds'));
select is(tests.status_of(), 'opted_in', 'an earlier word that arrives late does not undo a later one');

select tests.writes('STOP', 'w.4a', jsonb_build_object('occurred_at', now() + interval '7 seconds')), tests.writes('HENTI', 'w.4b', jsonb_build_object('occurred_at', now() + interval '11 seconds'));
select tests.writes('START', 'w.4c', jsonb_build_object('occurred_at', now() + interval '9 seconds'));
select is(tests.status_of(), 'opted_out', 'nor one that only said again what was so');
select tests.writes('START', 'w.4d', jsonb_build_object('occurred_at', now() + interval '15 seconds'));
select is(tests.status_of(), 'opted_in', 'a later one does');

select tests.apply(jsonb_build_array(
    tests.inbound('w.5', jsonb_build_object('body', 'stop', 'occurred_at', now() + interval '20 seconds')),
    tests.inbound('w.6', jsonb_build_object('body', 'start', 'occurred_at', now() + interval '21 seconds')),
    tests.inbound('w.7', jsonb_build_object('body', 'BERHENTI', 'occurred_at', now() + interval '22 seconds'))));
select is(tests.status_of(), 'opted_out', 'several in one batch, in their order');
select is((select array_agg(new_status order by decided_at) from public.contact_consents), '{opted_out,opted_in,opted_out,opted_in,opted_out,opted_in,opted_out}', 'each on record');
select is((tests.conversation('acme.thread')).unread_count, 12, 'and unread');
select is((select count(*) from tests.wrong_unread_counts()), 0::bigint, 'exactly');

-- A person's own record.
select tests.writes('hello', 'w.late', '{"wa_id": "60177770009"}');
select tests.error_for('acme.agent', format('select set_contact_consent(%L, %L)', (tests.wa_message('w.late')).contact_id, 'opted_out'));
select tests.writes('START', 'w.late2', jsonb_build_object('wa_id', '60177770009', 'occurred_at', now() - interval '1 hour'));
select is((select opt_in_status from public.contacts where wa_id = '60177770009'), 'opted_out', 'a word that was held up does not undo what an agent put on record since');
select tests.writes('START', 'w.late3', jsonb_build_object('wa_id', '60177770009', 'occurred_at', now() + interval '1 hour'));
select is((select opt_in_status from public.contacts where wa_id = '60177770009'), 'opted_in', 'a newer word does');

-- Messages that are no word, senders, windows.
select tests.writes('START', 'w.8', jsonb_build_object('type', 'image', 'occurred_at', now() + interval '30 seconds'));
select is(tests.status_of(), 'opted_out', 'the caption of a picture is no word');
select tests.writes('START', 'w.9', jsonb_build_object('type', 'button', 'occurred_at', now() + interval '31 seconds'));
select is(tests.status_of(), 'opted_in', 'the text of a button is');
select tests.writes('STOP', 'w.10', '{"wa_id": "60177770000", "profile_name": "New"}');
select is((select opt_in_status from public.contacts where wa_id = '60177770000'), 'opted_out', 'from somebody new');
create temporary table before_old as select tests.replies() as replies;
select tests.writes('STOP', 'w.11', jsonb_build_object('wa_id', '60177770001', 'occurred_at', now() - interval '2 days'));
select is((select opt_in_status from public.contacts where wa_id = '60177770001'), 'opted_out', 'two days late');
select is(tests.replies(), (select replies from before_old), 'it holds without a confirmation, for which the window is closed');

-- Words of one's own.
select is(tests.error_for('acme.admin', $$ select set_consent_keywords(tests.id('acme'), array['Stop  it', '退订'], array['ya mau']) $$), null, 'an organisation has words of its own');
select results_eq($$ select kind, word from public.consent_keywords where org_id = tests.id('acme') order by 1, 2 $$, $$ values ('start', 'YA MAU'), ('stop', 'STOP IT'), ('stop', '退订') $$, 'as they are compared');
select tests.writes('stop', 'w.20', jsonb_build_object('occurred_at', now() + interval '40 seconds'));
select is(tests.status_of(), 'opted_in', 'the ones before are none any more');
select tests.writes('退订。', 'w.21', jsonb_build_object('occurred_at', now() + interval '41 seconds'));
select is(tests.status_of(), 'opted_out', 'a Chinese one');
select is((select body from public.messages where direction = 'outbound' order by id desc limit 1),
    E'You will get no more promotional messages from Acme. To get them again, reply YA MAU.\n\nAnda tidak akan menerima mesej promosi daripada Acme lagi. Untuk menerimanya semula, balas YA MAU.',
    'is answered in both languages');
select is(tests.error_for('acme.admin', format('select set_consent_keywords(tests.id(''acme''), %L, %L)', stop, start)), 'CONTACT_007', format('refused: %s %s', stop, start)) from (values
    ('{}', '{START}'), (null, '{START}'), ('{STOP}', '{stop!}'), ('{STOP,stop.}', '{}'), ('{...}', '{}'), ('{STOP,NULL}', '{}'), (array[repeat('x', 41)]::text, '{}'),
    (array(select 'x' || i from generate_series(1, 21) i)::text, '{}')
) v (stop, start);
select is((select count(*) from public.consent_keywords where org_id = tests.id('globex')), 9::bigint, 'others keep theirs');
select is(tests.error_for('acme.campaign_manager', $$ select set_consent_keywords(tests.id('acme'), '{STOP}', '{}') $$), 'AUTH_003', 'a setting');
select is(tests.error_for('globex.owner', $$ select set_consent_keywords(tests.id('acme'), '{STOP}', '{}') $$), 'ORG_001', 'not of strangers');

-- Counters equal a recount.
select is(
    (select array_agg(c.full_name) from public.contacts c where
        c.messages_received <> (select count(*) from public.messages m where m.contact_id = c.id and m.direction = 'inbound')
        or c.messages_sent + (select coalesce(sum(w.sent), 0) from private.sent_messages w where w.contact_id = c.id)
            <> (select count(*) from public.messages m where m.contact_id = c.id and m.direction = 'outbound')),
    null, 'sent and received are counted on the contact'
);
select is((tests.contact('acme.siti')).last_inbound_at, (select max(occurred_at) from public.messages where contact_id = tests.id('acme.siti') and direction = 'inbound'), 'with the time of the last');
insert into private.sent_messages (org_id, contact_id, sent, last_at) select tests.id('acme'), tests.id(n), 3, now() + interval '1 hour' from unnest(array['acme.siti', 'nobody']) n;
create temporary table counted as select (tests.contact('acme.siti')).messages_sent as sent;
select tests.worker_says('select worker.fold_sent_messages(100)');
select is((tests.contact('acme.siti')).messages_sent, (select sent + 3 from counted), 'what had to wait is added later');
select is((select count(*) from private.sent_messages), 0::bigint, 'and nothing is left waiting');

select * from finish();
rollback;
