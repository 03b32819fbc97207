-- Recipients become messages: once each, no faster than the number sends, not while something holds the campaign up; and what a pause takes back.

begin;
\ir helpers/load.sql
\ir helpers/ledger.sql
select no_plan();
select tests.make_campaign_world();
select tests.make_people('Ali', 'Bea', 'Chan', 'Devi', 'Eng');
select tests.launch('First') as first \gset

-- Once each.
select is(tests.feed(2), 2, 'as many as asked for');
select is((select array_agg(r.status order by r.position) from public.campaign_recipients r where r.campaign_id = :'first'), array['queued', 'queued', 'waiting', 'waiting', 'waiting'],
    'in their order');
select r.contact_id as head from public.campaign_recipients r where r.campaign_id = :'first' and r.position = 1 \gset
select results_eq(format($$ select m.direction, m.type, m.status, m.body, m.template_id, o.lane::integer, o.state from public.messages m join private.outbox o on o.message_id = m.id
        where m.campaign_id = %L and m.contact_id = %L $$, :'first', :'head'),
    format($$ select 'outbound'::text, 'template'::text, 'pending'::text, 'Hello ' || split_part(c.full_name, ' ', 1) || ', see what is new.', tests.id('acme.news'), 2, 'ready'::text
        from public.contacts c where c.id = %L $$, :'head'), 'a message in the campaigns'' lane');
select is((select m.payload -> 'template' ->> 'name' from public.messages m where m.id = (select r.message_id from public.campaign_recipients r where r.campaign_id = :'first' and r.position = 1)), 'news', 'as Meta takes it, named by the ledger');
select results_eq($$ select c.is_quiet, c.folder, c.unread_count, c.status from public.conversations c where c.contact_id = (
        select r.contact_id from public.campaign_recipients r where r.position = 1) $$,
    $$ values (true, 'quiet'::text, 0, 'expired'::text) $$, 'in a thread that stays out of the lists');
select is(tests.feed(), 3, 'the others follow');
select is(tests.feed(), 0, 'and nobody twice');
select is((select count(*) from public.messages where campaign_id = :'first'), 5::bigint, 'one message each');
select is(tests.worker_says('select worker.fold_sent_messages(100)'), '5', 'counted as sent once a worker comes by');
select is((tests.contact('acme.ali')).messages_sent, 1, 'each of them');

-- The pace.
update public.whatsapp_accounts set messages_per_second = 2 where id = tests.id('acme.number');
select tests.launch('Second') as second \gset
select is(tests.feed(), 0, 'with a second''s worth in the outbox nothing is added');
select is(tests.send_all(), 5, 'those leave');
select is(tests.feed(), 2, 'then a second''s worth is');
select is(tests.feed(), 0, 'and no more');
update public.whatsapp_accounts set messages_per_second = 80 where id = tests.id('acme.number');
select tests.launch('Third') as third \gset
select is(tests.feed(4), 4, 'of two campaigns');
select is((select array_agg(distinct n) from (select count(*) as n from private.outbox o join public.messages m on m.id = o.message_id group by m.campaign_id having m.campaign_id = :'third'
    union all select count(*) - 2 from private.outbox o join public.messages m on m.id = o.message_id group by m.campaign_id having m.campaign_id = :'second') x), array[2::bigint], 'each has its share');

-- Pause takes back what no sender has claimed.
select is(tests.worker_says(format($$ select count(*) from worker.claim_sends(%L, %L, 1) $$, tests.id('sender'), tests.id('acme.number'))), '1', 'one is on its way');
select tests.manage('pause_campaign', :'second') \g /dev/null
select is(tests.state(:'second'), 'paused', 'sending → paused');
select is((select count(*) filter (where r.status = 'queued') || ' queued, ' || count(*) filter (where r.status = 'waiting') || ' waiting' from public.campaign_recipients r where r.campaign_id = :'second'),
    '1 queued, 4 waiting', 'all others wait again');
select is((select count(*) from public.messages m where m.campaign_id = :'second'), 1::bigint, 'and their messages are gone');
select is((select array_agg(c.messages_sent + coalesce(w.sent, 0) = x.count) from public.contacts c
        join (select m.contact_id, count(*) from public.messages m where m.direction = 'outbound' group by m.contact_id) x on x.contact_id = c.id
        left join (select s.contact_id, sum(s.sent) as sent from private.sent_messages s group by s.contact_id) w on w.contact_id = c.id where c.full_name like '% Bakar'),
    array[true, true, true, true, true], 'uncounted');
select is(tests.feed(), 3, 'a paused one is not fed: only the third');
select is((select attempts::integer from public.campaign_recipients where campaign_id = :'second' and status = 'waiting' limit 1), 0, 'as if they had never been made');
select tests.manage('resume_campaign', :'second') \g /dev/null
select is(tests.feed(), 4, 'paused → sending');
update public.campaigns set status = 'paused' where id = :'second';
select is_empty(format($$ select c from tests.for_worker(format('select * from worker.claim_sends(%%L, %%L, 100)', tests.id('sender'), tests.id('acme.number'))) c
        join public.messages m on m.id = (c ->> 'message_id')::uuid and m.campaign_id = %L $$, :'second'),
    'what a campaign that is not sending has in the outbox is not handed out');
update public.campaigns set status = 'sending' where id = :'second';
select tests.manage('cancel_campaign', :'second') \g /dev/null
select is((select count(*) from private.outbox o join public.messages m on m.id = o.message_id where m.campaign_id = :'second' and o.state = 'ready'), 0::bigint, 'a cancellation takes back, too');
select is(tests.feed(), 0, 'for good');
select is_empty($$ select tests.wrong_counts() $$, 'the counters followed');

-- What came back from Meta after the pause.
delete from private.outbox;
select tests.launch('Latecomer') as latecomer \gset
select tests.feed() \g /dev/null
update private.outbox set ready_at = now() - interval '1 second' where state = 'ready';
select (select jsonb_agg(jsonb_build_object('message_id', c ->> 'message_id', 'send_try', 0, 'attempt', c -> 'attempt', 'outcome', 'retry', 'retry_seconds', 0))
    from tests.for_worker(format('select * from worker.claim_sends(%L, %L, 100)', tests.id('sender'), tests.id('acme.number'))) c) as refused \gset
select tests.manage('pause_campaign', :'latecomer') \g /dev/null
select tests.for_worker(format('select worker.record_sends(%L)', :'refused')) \g /dev/null
select cmp_ok((select count(*) from private.outbox o join public.messages m on m.id = o.message_id where m.campaign_id = :'latecomer'), '>', 0::bigint, 'what Meta refuses for the moment comes back');
select tests.advance() \g /dev/null
select is((select count(*) from private.outbox o join public.messages m on m.id = o.message_id where m.campaign_id = :'latecomer'), 0::bigint, 'and is taken back, too');
select is((select array_agg(distinct r.status) from public.campaign_recipients r where r.campaign_id = :'latecomer'), array['waiting'], 'to wait');

-- What holds up.
update public.campaigns set status = 'cancelled' where status in ('sending', 'paused');
delete from private.outbox;
select tests.set_clock(timestamptz '2026-03-10 21:30 Asia/Kuala_Lumpur');
select tests.launch('Late', '{"quiet_hours": {"from": "21:00", "to": "09:00"}, "time_zone": "Asia/Kuala_Lumpur"}') as late \gset
select is(tests.feed(), 0, 'nothing in quiet hours');
select is((tests.campaign(:'late')).resumes_at, timestamptz '2026-03-11 09:00 Asia/Kuala_Lumpur', 'and people see until when');
select is(tests.state(:'late'), 'sending quiet_hours', 'and why');
select tests.set_clock(timestamptz '2026-03-11 08:59:59 Asia/Kuala_Lumpur');
select is(tests.feed(), 0, 'to the last second');
select tests.set_clock(timestamptz '2026-03-11 09:00 Asia/Kuala_Lumpur');
select is(tests.feed(3), 3, 'then it goes on');
select is(tests.state(:'late'), 'sending', 'and says so');
select tests.set_clock(timestamptz '2026-03-11 21:00 Asia/Kuala_Lumpur');
select is(tests.feed(), 0, 'in the evening it stops');
select is((select count(*) from private.outbox), 0::bigint, 'and takes back what has not left');
select is(private.quiet_until('{"from": "13:00", "to": "14:30"}', 'Europe/Berlin', t.at), t.until, t.says) from (values
    (timestamptz '2026-01-05 13:00 Europe/Berlin', timestamptz '2026-01-05 14:30 Europe/Berlin', 'quiet at noon'),
    (timestamptz '2026-01-05 12:59:59 Europe/Berlin', null, 'not before'), (timestamptz '2026-01-05 14:30 Europe/Berlin', null, 'nor after')) t (at, until, says);
select is(private.quiet_until('{"from": "22:00", "to": "06:00"}', 'Europe/Berlin', timestamptz '2026-03-28 23:00 Europe/Berlin'), timestamptz '2026-03-29 06:00 Europe/Berlin',
    'six o''clock is six o''clock in the night the clocks change');
select tests.set_clock(timestamptz '2026-03-12 10:00 Asia/Kuala_Lumpur');

update public.whatsapp_accounts set quality_rating = 'RED' where id = tests.id('acme.number');
select is(tests.feed(), 0, 'a rating that is too low holds up');
select is(tests.state(:'late'), 'sending quality', 'and is named');
update public.whatsapp_accounts set quality_rating = 'GREEN', status = 'error' where id = tests.id('acme.number');
select is(tests.feed(), 0, 'so does a number that is not connected');
select is(tests.state(:'late'), 'sending account', 'and is named');
update public.whatsapp_accounts set status = 'connected' where id = tests.id('acme.number');
select is(tests.feed(1), 1, 'afterwards it goes on');
update public.templates set status = 'disabled' where id = tests.id('acme.news');
select is(tests.feed(), 0, 'a template that Meta has disabled');
select is(tests.state(:'late'), 'paused WA_002', 'pauses the campaign');
select is((select count(*) from private.outbox), 0::bigint, 'and takes back');
select ok(exists (select from public.notifications n where n.kind = 'campaign.paused'), 'and managers are told');
update public.templates set status = 'approved' where id = tests.id('acme.news');
select tests.manage('resume_campaign', :'late') \g /dev/null

-- People who changed since the launch.
update public.contacts set opt_in_status = 'opted_out' where id = tests.id('acme.bea');
select is(tests.feed(), 4, 'who opted out since gets nothing');
select is((tests.recipient(:'late', 'acme.bea')).exclusion_reason, 'opted_out', 'with the reason');
update public.contacts set opt_in_status = 'opted_out' where id = tests.id('acme.chan');
select is(tests.send_all(), 3, 'and who does so at the last moment neither');
select is((tests.recipient(:'late', 'acme.chan')).error_code, 'CONTACT_008', 'the claim refuses');
update public.contacts set opt_in_status = 'opted_in' where id in (tests.id('acme.bea'), tests.id('acme.chan'));

-- The messaging limit: people outside a window in 24 hours, of the whole portfolio.
update public.campaigns set status = 'cancelled' where status = 'sending';
delete from private.portfolio_users;
delete from private.portfolio_minutes;
delete from public.conversations where contact_id = tests.id('acme.eng');
select tests.make_conversation('acme', 'acme.engs', 'acme.number', 'acme.eng', interval '100 days');
update public.whatsapp_accounts set messaging_tier = 'TIER_2' where id = tests.id('acme.number');
select is(array[private.tier_limit('TIER_250'), private.tier_limit('TIER_1K'), private.tier_limit('TIER_100K'), private.tier_limit('TIER_UNLIMITED'), private.tier_limit(null)],
    array[250, 1000, 100000, null, null], 'Meta''s words for limits');
select tests.launch('Tiered') as tiered \gset
select is(tests.feed(), 3, 'two new people, and one with an open window');
select is(tests.state(:'tiered'), 'sending tier', 'the others wait for the limit');
select tests.send_all() \g /dev/null
select tests.set_clock(private.clock() + interval '6 seconds');
select is(tests.feed(), 0, 'which stays used up');
select is((select sum(users)::integer from private.portfolio_minutes), 2, 'by two');
select is((tests.campaign(:'tiered')).resumes_at, date_trunc('minute', private.clock() - interval '6 seconds') + interval '24 hours 1 minute', 'for a day, as people can see');
select tests.set_clock(private.clock() + interval '24 hours 1 minute');
select is(tests.feed(), 2, 'then the rest may go');
select tests.send_all() \g /dev/null
select tests.launch('Tiered again') as again \gset
select tests.set_clock(private.clock() + interval '6 seconds');
select is(tests.feed(), 3, 'the same people again use up nothing');
select ok((select array_agg(r.contact_id) from public.campaign_recipients r where r.campaign_id = :'again' and r.status = 'queued')
    = (select array_agg(r.contact_id) from public.campaign_recipients r where r.campaign_id = :'again' and r.status = 'queued' and (r.contact_id = tests.id('acme.eng')
        or exists (select from private.portfolio_users u where u.contact_id = r.contact_id and u.used_at > private.clock() - interval '1 hour'))), 'being counted already');
select is_empty($$
    select m.minute, m.users, u.count from (select x.minute, sum(x.users) as users from private.portfolio_minutes x group by x.minute having sum(x.users) <> 0) m
    full join (select date_trunc('minute', x.used_at) as minute, count(*) from private.portfolio_users x group by 1) u on u.minute = m.minute
    where m.users is distinct from u.count $$, 'the sums by minute equal a recount');

select * from finish();
rollback;
