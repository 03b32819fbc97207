-- Webhooks as received: kept before they are read, claimed once, set aside when not understood, replayed, dropped after 90 days.

begin;
\ir helpers/load.sql
select plan(21);
select tests.make_world();

select lives_ok($$ select tests.for_worker($q$ select worker.store_webhooks(array['{"n": 1}', 'not json', '\xff00'::bytea]) $q$) $$, 'any bytes are kept');
select results_eq(
    'select body from private.webhook_events order by id', $$ values ('{"n": 1}'::bytea), ('not json'), ('\xff00'::bytea) $$, 'byte for byte'
);
select results_eq(
    $$ select (r ->> 'id')::bigint from tests.for_worker('select * from worker.claim_webhooks(2)') r $$,
    'select id from private.webhook_events order by id limit 2', 'they are claimed oldest first'
);
create temporary table kept on commit drop as select id, row_number() over (order by id) as nth from private.webhook_events;
grant select on kept to public;

select tests.for_worker('select worker.finish_webhooks(array[(select id from kept where nth = 1)])');
select tests.for_worker($$ select worker.reject_webhook((select id from kept where nth = 2), 'not JSON') $$);
select is((select count(*) from tests.for_worker('select * from worker.claim_webhooks(10)')), 1::bigint, 'applied and rejected ones are not claimed again');
select results_eq(
    $$ select (r ->> 'id')::bigint, r ->> 'problem', r ->> 'bytes' from tests.for_worker('select * from worker.rejected_webhooks(10)') r $$,
    $$ select id, 'not JSON', '8' from kept where nth = 2 $$,
    'a rejected one is listed with its problem'
);
select is(tests.worker_says('select worker.replay_webhooks(null)'), '1', 'replay puts back what was rejected');
select is((select count(*) from tests.for_worker('select * from worker.claim_webhooks(10)')), 2::bigint, 'to be claimed again');
select is(tests.worker_says('select worker.replay_webhooks(array[(select id from kept where nth = 1)])'), '1', 'an applied one may be replayed by id');
select is((select count(*) from tests.for_worker('select * from worker.claim_webhooks(10)')), 3::bigint, 'and is claimed again');
select tests.for_worker('select worker.finish_webhooks(array(select id from kept))');
select is((select count(*) from tests.for_worker('select * from worker.rejected_webhooks(10)')), 0::bigint, 'once applied nothing is left of the rejection');

-- Retention.
update private.webhook_events set received_at = now() - interval '91 days' where id in (select id from kept where nth <= 2);
update private.webhook_events set state = 'received' where id = (select id from kept where nth = 2);
insert into private.parked_statuses (phone_number_id, wa_message_id, status, created_at)
values ('1001', 'wamid.old', '{}', now() - interval '25 hours'), ('1001', 'wamid.new', '{}', now());
insert into public.activity_log (org_id, kind, created_at)
values (tests.id('acme'), 'contact.created', now() - interval '366 days'), (tests.id('acme'), 'contact.created', now());
insert into public.notifications (org_id, user_id, kind, created_at, read_at)
values (tests.id('acme'), tests.id('acme.agent'), 'a.read', now() - interval '366 days', now()),
    (tests.id('acme'), tests.id('acme.agent'), 'an.unread', now() - interval '366 days', null);
select is(tests.worker_says('select worker.purge(100)'), '4', 'retention takes one of each kind');
select is((select array_agg(k.nth order by k.nth) from private.webhook_events e join kept k using (id)), array[2, 3]::bigint[],
    'an old webhook that was never applied stays');
select is((select array_agg(wa_message_id) from private.parked_statuses), array['wamid.new'], 'a status is parked for a day');
select is((select count(*) from public.activity_log where org_id = tests.id('acme')), 1::bigint, 'activity lives a year');
select is((select array_agg(kind) from public.notifications), array['an.unread'], 'an unread notification stays');

-- Events about accounts.
select tests.make_account('acme', 'acme.second', '1003');
update public.whatsapp_accounts set waba_id = '91001' where id = tests.id('acme.second');
select tests.make_account('globex', 'globex.off', '1004', 'disconnected');
update public.whatsapp_accounts set waba_id = '91001' where id = tests.id('globex.off');
select tests.for_worker($$ select worker.record_account_events('[
    {"waba_id": "91001", "phone_number_id": "1001", "field": "phone_number_quality_update", "payload": {"event": "FLAGGED"}, "webhook_event_id": 7, "body_hash": "0a"},
    {"waba_id": "91001", "phone_number_id": null, "field": "account_update", "payload": null, "webhook_event_id": 8, "body_hash": "0b"},
    {"waba_id": "404", "phone_number_id": null, "field": "account_update", "payload": {}, "webhook_event_id": 9, "body_hash": "0c"}]') $$);
select results_eq(
    $$ select org_id, whatsapp_account_id, webhook_event_id from public.whatsapp_events where field = 'phone_number_quality_update' $$,
    $$ values (tests.id('acme'), tests.id('acme.number'), 7::bigint) $$, 'an event of a number belongs to it'
);
select set_eq(
    $$ select whatsapp_account_id from public.whatsapp_events where webhook_event_id = 8 $$,
    array[tests.id('acme.number'), tests.id('acme.second')], 'an event of a WABA to each of its numbers that receive'
);
select is((select count(*) from public.whatsapp_events where webhook_event_id = 9), 0::bigint, 'of an unknown WABA to nobody');
select is(tests.count_for('globex.owner', 'select from public.whatsapp_events'), 0::bigint, 'and to no other organisation');
select tests.for_worker($$ select worker.record_account_events('[
    {"waba_id": "91001", "phone_number_id": "1001", "field": "phone_number_quality_update", "payload": {"event": "FLAGGED"}, "webhook_event_id": 10, "body_hash": "0a"},
    {"waba_id": "91001", "phone_number_id": "1001", "field": "phone_number_quality_update", "payload": {"event": "FLAGGED"}, "webhook_event_id": 11, "body_hash": "0d"}]') $$);
select is(
    (select array_agg(webhook_event_id order by webhook_event_id) from public.whatsapp_events where field = 'phone_number_quality_update'),
    array[7, 11]::bigint[], 'the same webhook again is the same event, the same words in another webhook are not'
);

-- Figures for /metrics and doctor.
select results_eq(
    $$ select r - array['webhooks_oldest_seconds', 'sends_oldest_seconds'] from tests.for_worker('select * from worker.queue_figures()') r $$,
    $$ values ('{"webhooks_waiting": 1, "webhooks_rejected": 0, "sends_waiting": 0, "sends_uncertain": 0}'::jsonb) $$, 'the queues are counted'
);

select * from finish();
rollback;
