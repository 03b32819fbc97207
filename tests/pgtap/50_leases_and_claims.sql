-- Leases of numbers, claims and reports: a message is handed to Meta at most once per intent (design §5, invariant 4; §8).

begin;
\ir helpers/load.sql
select plan(66);
select tests.make_world();
select tests.make_contact('acme', 'acme.ravi', '+60177777777'), tests.make_contact('acme', 'acme.mei', '+60188888888');
select tests.make_conversation('acme', 'acme.ravis', 'acme.number', 'acme.ravi', interval '1 hour'),
    tests.make_conversation('acme', 'acme.meis', 'acme.number', 'acme.mei', interval '1 hour');

-- Takes away the lock that shows that a sender lives, as the end of its session would.
create function tests.die(p_holder text) returns void language plpgsql as $$
begin
    -- The session has announced itself with every lease.
    while exists (select from pg_locks k where k.locktype = 'advisory' and k.objid = hashtext(p_holder)::oid and k.pid = pg_backend_pid()) loop
        perform pg_catalog.pg_advisory_unlock(private.sender_lock_class(), hashtext(p_holder));
    end loop;
end
$$;
create function tests.holder(p_account text default 'acme.number') returns uuid language sql as $$
    select l.holder from private.phone_leases l where l.whatsapp_account_id = tests.id(p_account)
$$;
create function tests.state(p_message_id uuid) returns text language sql security definer as $$
    select concat_ws(' ', m.status, case when m.is_uncertain then 'uncertain' end, m.error_code,
        (select 'in the outbox: ' || o.state || ' ' || o.attempt from private.outbox o where o.message_id = m.id))
    from public.messages m where m.id = p_message_id
$$;

-- Leases.
select is_empty($$ select tests.lease('one') $$, 'nothing to send, nothing to lease');
select tests.queue('first') as first \gset
select results_eq($$ select tests.lease('one') $$, array[tests.id('acme.number')], 'a number with something to send is leased');
select is_empty($$ select tests.lease('two') $$, 'by one sender at a time');
select is(tests.holder(), tests.id('one'), 'the first');
select is_empty($$ select tests.claim('two') $$, 'the other may claim nothing');
select results_eq(
    $$ select r - array['whatsapp_account_id', 'credential_id', 'next_ready_at'] from tests.for_worker(format(
        'select * from worker.lease_numbers(%L, %s, 60, 100)', tests.id('one'), hashtext('one'))) r $$,
    $$ values ('{"ready": 1, "access_token": "secret-of-acme.number", "phone_number_id": "1001", "messages_per_second": 80}'::jsonb) $$,
    'the holder gets the token, the pace and how much waits'
);
select is((select count(*) from private.phone_leases), 1::bigint, 'a number with nothing to send is not leased');

-- Claims.
select tests.queue('second') as second \gset
select tests.queue('to ravi', 'acme.ravis') as ravi \gset
select results_eq($$ select tests.claim('one') $$, array[:'first', :'ravi']::uuid[], 'the head of each conversation is handed out');
select is(tests.state(:'first'), 'pending in the outbox: sending 1', 'with the intent on record');
select is_empty($$ select tests.claim('one') $$, 'once');
select tests.record(:'first', 'accepted', '{"wa_message_id": "wamid.first"}');
select is(tests.state(:'first'), 'pending', 'accepted: it leaves the outbox');
select is((select row (m.wa_message_id, m.accepted_at is not null)::text from tests.message(:'first') m), '(wamid.first,t)', 'with Meta''s id');
select results_eq($$ select tests.claim('one') $$, array[:'second']::uuid[], 'the next of the conversation follows');
select results_eq(
    $$ select r - array['message_id', 'queued_at'] from tests.for_worker(format(
        'select * from worker.claim_sends(%L, %L, 10)', tests.id('one'), tests.id('acme.number'))) r $$,
    $$ select jsonb_build_object() limit 0 $$, 'nothing more'
);
select tests.record(:'second', 'accepted', '{"wa_message_id": "wamid.second"}'), tests.record(:'ravi', 'accepted', '{"wa_message_id": "wamid.ravi"}');
select is((select count(*) from private.outbox), 0::bigint, 'all is sent');

-- What a claim carries.
select tests.make_contact('acme', 'acme.hidden', null, 'MY.99887766');
select tests.make_conversation('acme', 'acme.hiddens', 'acme.number', 'acme.hidden', interval '1 hour');
select tests.login_as('acme.agent');
create temporary table quoted on commit drop as select id from send_message(tests.id('acme.hiddens'), 'to-hidden', 'image', 'look', '{"link": "https://x.test/a"}');
select tests.logout();
update public.contacts set phone = '+60555555555' where id = tests.id('acme.ravi');
select tests.queue('again', 'acme.ravis') as again \gset
select tests.lease('one');
select results_eq(
    $$ select r - array['message_id', 'queued_at'] from tests.for_worker(format(
        'select * from worker.claim_sends(%L, %L, 10)', tests.id('one'), tests.id('acme.number'))) r $$,
    $$ values
        ('{"type": "image", "body": "look", "payload": {"link": "https://x.test/a"}, "reply_to": null, "attempt": 1, "send_try": 0, "lane": 0,
            "recipient_phone": null, "recipient_bsuid": "MY.99887766"}'::jsonb),
        ('{"type": "text", "body": "again", "payload": null, "reply_to": null, "attempt": 1, "send_try": 0, "lane": 0,
            "recipient_phone": "+60177777777", "recipient_bsuid": null}') $$,
    'everything needed to post, to the number Meta answered from'
);
select tests.record(q.id, 'failed', '{"error_code": "131026", "error_message": "not on WhatsApp"}') from quoted q;
select is(tests.state(q.id), 'failed 131026', 'refused for good: it failed with Meta''s code') from quoted q;

-- Trying later.
select tests.record(:'again', 'retry', '{"retry_seconds": 3600}');
select is(tests.state(:'again'), 'pending in the outbox: ready 1', 'refused for now: it waits');
select is_empty($$ select tests.claim('one') $$, 'until its time');
select tests.queue('behind', 'acme.ravis') as behind \gset
select is_empty($$ select tests.claim('one') $$, 'and the next of its conversation behind it');
select is(
    (select (r ->> 'next_ready_at')::timestamptz > now() + interval '59 minutes' from tests.for_worker(format(
        'select * from worker.lease_numbers(%L, %s, 60, 100)', tests.id('one'), hashtext('one'))) r),
    true, 'the holder is told when to look again'
);
select tests.queue('to somebody else', 'acme.meis') as else \gset
select results_eq(
    $$ select (r ->> 'ready')::integer from tests.for_worker(format('select * from worker.lease_numbers(%L, %s, 60, 1)', tests.id('one'), hashtext('one'))) r $$,
    array[1], 'what waits for its time does not hide what is ready behind it'
);
select results_eq($$ select tests.claim('one') $$, array[:'else']::uuid[], 'which is handed out');
select tests.record(:'else', 'accepted', '{"wa_message_id": "wamid.else"}');
update private.outbox set ready_at = now() where message_id = :'again';
select results_eq($$ select tests.claim('one') $$, array[:'again']::uuid[], 'then it is handed out');
select is((tests.outbox(:'again')).attempt, 2, 'as the second attempt');
select tests.record(:'again', 'retry', '{"retry_seconds": 0}');
select is(tests.state(:'again'), 'pending in the outbox: sending 2', 'a report about the first attempt changes nothing');
select tests.record(:'again', 'failed', '{"error_code": "131026"}');
select is(tests.state(:'again'), 'pending in the outbox: sending 2', 'whatever it says');
select tests.record(:'again', 'failed', '{"error_code": "131026", "attempt": 2, "send_try": 1}');
select is(tests.state(:'again'), 'pending in the outbox: sending 2', 'nor does one about another try of a person');
select tests.record(:'again', 'retry', '{"retry_seconds": 0, "attempt": 2}');
select results_eq($$ select tests.claim('one') $$, array[:'again']::uuid[], 'the third attempt');
select tests.record(:'again', 'accepted', '{"wa_message_id": "wamid.again", "attempt": 3}');
select tests.record(:'again', 'accepted', '{"wa_message_id": "wamid.other", "attempt": 3}');
select is((tests.message(:'again')).wa_message_id, 'wamid.again', 'Meta''s id is written once');
select tests.claim('one');
select tests.record(:'behind', 'accepted', '{"wa_message_id": "wamid.behind"}');

-- Uncertain.
select tests.queue('lost', 'acme.ravis') as lost \gset
select tests.queue('after the lost', 'acme.ravis') as after \gset
select tests.claim('one');
select tests.record(:'lost', 'uncertain');
select is(tests.state(:'lost'), 'pending uncertain WA_008 in the outbox: uncertain 1', 'a lost answer is uncertain');
select results_eq($$ select tests.claim('one') $$, array[:'after']::uuid[], 'it is never handed out again, and holds nobody up');
select is(tests.error_for('acme.agent', format('select retry_message(%L)', :'lost')), 'MESSAGE_004', 'nor can a person send it again');
select tests.record(:'lost', 'accepted', '{"wa_message_id": "wamid.lost"}');
select is(tests.state(:'lost'), 'pending', 'a late answer settles it');
select tests.record(:'after', 'uncertain');
select tests.apply_statuses(jsonb_build_array(tests.status('wamid.after', 'sent', jsonb_build_object('message_id', :'after', 'send_try', 0))));
select is(tests.state(:'after'), 'sent', 'so does a status with our id');
select tests.record(:'after', 'accepted', '{"wa_message_id": "wamid.after"}');
select is(tests.state(:'after'), 'sent', 'and the answer after it takes nothing back');

-- A holder that dies.
select tests.queue('orphan', 'acme.ravis') as orphan \gset
select tests.queue('not begun', 'acme.meis') as begun \gset
select tests.lease('one');
select results_eq($$ select tests.claim('one', 'acme.number', 1) $$, array[:'orphan']::uuid[], 'one message is being posted');
select is_empty($$ select tests.lease('two') $$, 'its holder lives');
select tests.die('one');
select results_eq($$ select tests.lease('two') $$, array[tests.id('acme.number')], 'another takes over, long before the lease ends');
select is(tests.state(:'orphan'), 'pending uncertain WA_008 in the outbox: uncertain 1', 'what was being posted is uncertain');
select results_eq($$ select tests.claim('two') $$, array[:'begun']::uuid[], 'what was not begun goes on');
select is_empty($$ select tests.claim('one') $$, 'the dead one claims nothing any more');
select tests.record(:'orphan', 'retry', '{"retry_seconds": 0}');
select is(tests.state(:'orphan'), 'pending in the outbox: ready 1', 'but its late report that Meta refused is believed');
select results_eq($$ select tests.claim('two') $$, array[:'orphan']::uuid[], 'and the message goes out');
select tests.record(:'orphan', 'failed', '{"attempt": 2, "error_code": "131000"}');
select tests.record(:'begun', 'accepted', '{"wa_message_id": "wamid.begun"}');

-- A lease that runs out while its holder lives.
select tests.queue('slow', 'acme.meis') as slow \gset
select tests.claim('two');
update private.phone_leases set lease_until = clock_timestamp() - interval '1 second';
select is_empty($$ select tests.claim('two') $$, 'a lease that ran out gives no claim');
select tests.lease('three');
select is(tests.holder(), tests.id('three'), 'and may be taken');
select is(tests.state(:'slow'), 'pending uncertain WA_008 in the outbox: uncertain 1', 'what the slow one was posting is uncertain');
select tests.record(:'slow', 'accepted', '{"wa_message_id": "wamid.slow"}');
select is(tests.state(:'slow'), 'pending', 'until it reports');
select tests.for_worker(format('select worker.release_leases(%L)', tests.id('three')));
select is(tests.holder(), null, 'a sender that stops gives its numbers back');

-- Lanes, order and limits.
select tests.queue('campaign', 'acme.meis') as campaign \gset
select tests.queue('flow', 'acme.ravis') as flow \gset
select tests.queue('reply', 'acme.thread') as reply \gset
update private.outbox set lane = 2 where message_id = :'campaign';
update private.outbox set lane = 1 where message_id = :'flow';
select tests.lease('three');
select results_eq($$ select tests.claim('three', 'acme.number', 2) $$, array[:'reply', :'flow']::uuid[], 'replies first, then flows, as many as asked');
select results_eq($$ select tests.claim('three') $$, array[:'campaign']::uuid[], 'then campaigns');
select tests.record(m, 'accepted', jsonb_build_object('wa_message_id', 'wamid.' || m)) from unnest(array[:'campaign', :'flow', :'reply']::uuid[]) m;

-- Slowing down and stopping.
select tests.queue('paused', 'acme.meis') as paused \gset
select tests.lease('three');
select tests.for_worker(format('select worker.pause_number(%L, 30)', tests.id('acme.number')));
select is_empty($$ select tests.claim('three') $$, 'a paused number hands out nothing');
select tests.for_worker(format('select worker.pause_number(%L, 1)', tests.id('acme.number')));
select cmp_ok((select paused_until from public.whatsapp_accounts where id = tests.id('acme.number')), '>', clock_timestamp() + interval '20 seconds', 'a shorter pause shortens nothing');
update public.whatsapp_accounts set paused_until = null;
select tests.for_worker(format('select worker.suspend_number(%L, %L, %L)', tests.id('acme.number'), 'token expired', gen_random_uuid()));
select is((select status from public.whatsapp_accounts where id = tests.id('acme.number')), 'connected', 'a late refusal of a token that was replaced changes nothing');
select tests.for_worker(format('select worker.suspend_number(%L, %L, %L)', tests.id('acme.number'), 'token expired', (select c.secret_id from private.whatsapp_credentials c where c.whatsapp_account_id = tests.id('acme.number'))));
select is_empty($$ select tests.lease('three') $$, 'a number that needs a person is not leased');
select is(tests.state(:'paused'), 'pending in the outbox: ready 0', 'what waits keeps waiting');
select is((select count(*) from public.notifications where kind = 'whatsapp_account.error'), 2::bigint, 'owner and admin are told');
select tests.for_worker(format('select worker.suspend_number(%L, %L, %L)', tests.id('acme.number'), 'token expired', (select c.secret_id from private.whatsapp_credentials c where c.whatsapp_account_id = tests.id('acme.number'))));
select is((select count(*) from public.notifications where kind = 'whatsapp_account.error'), 2::bigint, 'once');
update public.whatsapp_accounts set status = 'connected' where id = tests.id('acme.number');
select tests.lease('three');

-- Lanes.
update private.outbox set ready_at = ready_at + interval '1 hour' where message_id = :'paused';
select tests.queue('of a campaign') as bulk \gset
update private.outbox set lane = 2 where message_id = :'bulk';
select tests.queue('a reply') as reply \gset
select is(
    (select r from tests.for_worker(format('select message_id, lane from worker.claim_sends(%L, %L, 10, 1)', tests.id('three'), tests.id('acme.number'))) r),
    jsonb_build_object('message_id', :'reply', 'lane', 0), 'a reply does not wait behind a campaign, not even in its own conversation');
select is(tests.state(:'bulk'), 'pending in the outbox: ready 0', 'asked for replies alone, a claim leaves campaigns');
select results_eq($$ select tests.claim('three') $$, format('values (%L::uuid)', :'bulk'), 'and another takes them');
select tests.record(:'bulk', 'accepted', '{"wa_message_id": "wamid.bulk"}'), tests.record(:'reply', 'accepted', '{"wa_message_id": "wamid.reply"}');
update private.outbox set ready_at = ready_at - interval '1 hour' where message_id = :'paused';

-- Disconnecting while a message is on its way.
select tests.queue('on its way', 'acme.ravis') as way \gset
select tests.claim('three', 'acme.number', 1);
select tests.error_for('acme.owner', $$ select disconnect_whatsapp_account(tests.id('acme.number')) $$);
select is(tests.state(:'way'), 'failed WA_006', 'what waits fails');
select is(tests.state(:'paused'), 'pending in the outbox: sending 1', 'what is being posted waits for its answer');
select tests.record(:'paused', 'retry', '{"retry_seconds": 0}');
select is_empty($$ select tests.lease('three') $$, 'when that is no,');
select is(tests.state(:'paused'), 'failed WA_006', 'it fails too');
update public.whatsapp_accounts set status = 'connected' where id = tests.id('acme.number');
insert into private.whatsapp_credentials (whatsapp_account_id, secret_id, waba_id) values (tests.id('acme.number'), vault.create_secret('again', 'again', ''), '91001');
select tests.queue('abandoned', 'acme.ravis') as abandoned \gset
select tests.lease('three'), tests.claim('three');
select tests.error_for('acme.owner', $$ select disconnect_whatsapp_account(tests.id('acme.number')) $$);
select tests.die('three');
select tests.lease('four');
select is(tests.state(:'abandoned'), 'pending uncertain WA_008 in the outbox: uncertain 1', 'if the holder dies instead, it is uncertain');

select * from finish();
rollback;
