-- Campaigns from several sides at once: two schedulers, two feeders, a pause while feeding and while claiming, launches twice; then all of it
-- together on the same few people, some hundred rounds. In the end each person got each campaign once and the counters are right.

\ir helpers/sessions.sql
\ir ../pgtap/helpers/ledger.sql
select plan(34);
update public.campaigns set status = 'cancelled' where status in ('scheduled', 'sending', 'paused');
delete from private.outbox;
update public.contacts set deleted_at = now() where org_id = tests.id('acme') and deleted_at is null;
update public.campaign_settings set marketing_cap = null;
update public.templates set links = '{}', components = '[{"type": "BODY", "text": "Hello {{1}}.", "example": {"body_text": [["Mei"]]}}]' where id = tests.id('acme.news');
select tests.make_people('Ali', 'Bea', 'Chan', 'Devi', 'Eng');

-- Launched twice.
select tests.draft('Twice') as twice \gset
select tests.sit('one', 'acme.owner'), tests.sit('two', 'acme.campaign_manager');
select is(tests.race(format('select (launch_campaign(%L)).status', :'twice'), format('select (launch_campaign(%L)).status', :'twice')), 'sending | !CAMPAIGN_005', 'launched twice, it starts once');
select is((select count(*) from public.campaign_recipients where campaign_id = :'twice'), 5::bigint, 'with one ledger');

-- Edited as it is launched.
select tests.draft('Edited') as edited \gset
select (tests.campaign(:'edited')).updated_at as seen \gset
select is(tests.race(format('select (launch_campaign(%L)).status', :'edited'), format($$ select (update_campaign(%L, '{"name": "Late"}', %L)).status $$, :'edited', :'seen')),
    'sending | !CAMPAIGN_003', 'an edit that comes as it is launched is refused');
select tests.manage('cancel_campaign', :'edited') \g /dev/null

-- Two schedulers.
select tests.draft('Due') as due \gset
update public.campaigns set status = 'scheduled', scheduled_at = now() where id = :'due';
select tests.sit('one', 'the worker'), tests.sit('two', 'the worker');
select is(tests.race('select worker.start_due_campaigns()', 'select worker.start_due_campaigns()'), '1 | at once | 0', 'of two schedulers one starts it, and the other does not wait');
select is((select count(*) from public.campaign_recipients where campaign_id = :'due'), 5::bigint, 'with one ledger');
select tests.manage('cancel_campaign', :'due') \g /dev/null

-- Two feeders.
select is(tests.race('select sum(queued) from worker.feed_campaigns(3)', 'select sum(queued) from worker.feed_campaigns(3)'), '3 | at once | 0', 'of two feeders one feeds a number');
select is((select count(*) from public.messages where campaign_id = :'twice'), 3::bigint, 'nobody twice');

-- Counted while somebody holds one of the contacts.
select tests.sit('one', 'the superuser'), tests.sit('two', 'the worker');
select worker.fold_sent_messages(100) \g /dev/null
insert into private.sent_messages (org_id, contact_id, sent, last_at)
select tests.id('acme'), c.id, 0, '-infinity' from public.contacts c where c.full_name in ('Ali Bakar', 'Bea Bakar', 'Chan Bakar') and c.deleted_at is null;
select w.contact_id as held from private.sent_messages w order by w.id limit 1 \gset
select is(tests.race(format('select id is not null from public.contacts where id = %L for update', :'held'), 'select worker.fold_sent_messages(3)'), 'true | at once | 3',
    'one that is held neither keeps the others waiting nor ends the sweep');
select is((select array_agg(w.contact_id) from private.sent_messages w), array[:'held'::uuid], 'it is counted later');

-- Paused while fed, fed while paused.
select tests.sit('one', 'the worker'), tests.sit('two', 'acme.owner');
select is(tests.race('select sum(queued) from worker.feed_campaigns(1)', format('select (pause_campaign(%L)).status', :'twice')), '1 | paused', 'a pause waits for the feeder');
select is((select array_agg(distinct r.status) from public.campaign_recipients r where r.campaign_id = :'twice'), array['waiting'], 'and takes back what it made');
select tests.manage('resume_campaign', :'twice') \g /dev/null
select tests.sit('one', 'acme.owner'), tests.sit('two', 'the worker');
select is(tests.race(format('select (pause_campaign(%L)).status', :'twice'), 'select coalesce(sum(queued), 0) from worker.feed_campaigns(5)'), 'paused | at once | 0', 'a feeder does not wait for a pause');
select is((select count(*) from private.outbox), 0::bigint, 'nor makes anything');

-- Paused while claimed, claimed while paused.
select tests.manage('resume_campaign', :'twice') \g /dev/null
select tests.feed() \g /dev/null
insert into private.phone_leases (whatsapp_account_id, holder, lock_key, lease_until) values (tests.id('acme.number'), tests.id('sender'), 1, now() + interval '1 hour')
on conflict (whatsapp_account_id) do update set holder = excluded.holder, lease_until = excluded.lease_until;
select tests.sit('one', 'the worker'), tests.sit('two', 'acme.owner');
select is(tests.race(format('select count(*) from worker.claim_sends(%L, %L, 2)', tests.id('sender'), tests.id('acme.number')), format('select (pause_campaign(%L)).status', :'twice')),
    '2 | paused', 'a pause waits for a claim');
select is((select array_agg(x.n || ' ' || x.status order by x.status) from (select count(*) as n, r.status from public.campaign_recipients r where r.campaign_id = :'twice' group by r.status) x),
    array['2 queued', '3 waiting'], 'what was claimed is on its way, the others wait');
select tests.manage('resume_campaign', :'twice') \g /dev/null
select tests.feed() \g /dev/null
select tests.sit('one', 'acme.owner'), tests.sit('two', 'the worker');
select is(tests.race(format('select (pause_campaign(%L)).status', :'twice'), format('select count(*) from worker.claim_sends(%L, %L, 5)', tests.id('sender'), tests.id('acme.number'))),
    'paused | at once | 0', 'nothing is claimed of what is being paused');
select tests.manage('cancel_campaign', :'twice') \g /dev/null
delete from private.outbox;
delete from private.phone_leases;

-- Everything at once.
\ir helpers/rounds.sql
create sequence tests.ids;
grant all on sequence tests.ids to public;
create table tests.taken (message_id uuid, send_try integer, contact_id uuid, campaign_id uuid);
grant all on tests.taken to public;
-- Handed out in one transaction, reported in another, as the sender does: what it holds between the two is its intent.
create function tests.take(p_holder text, p_round integer) returns void language plpgsql security definer as $$
declare
    v_results jsonb;
begin
    select jsonb_agg(jsonb_build_object('message_id', c.message_id, 'send_try', c.send_try, 'attempt', c.attempt, 'wa_message_id', 'wamid.' || c.message_id, 'retry_seconds', 0,
        'outcome', (array['accepted', 'accepted', 'retry', 'failed', 'accepted', 'accepted'])[1 + (p_round + row_number) % 6], 'error_code', '131053'))
    into v_results
    from (select c.*, row_number() over () from worker.claim_sends(tests.id(p_holder), tests.id('acme.number'), 4) c) c;
    perform set_config('tests.sent', coalesce(v_results::text, ''), false);
end
$$;
-- Meta, who counts what it takes.
create function tests.report() returns void language plpgsql security definer as $$
declare
    v_results jsonb := nullif(current_setting('tests.sent'), '')::jsonb;
begin
    if v_results is not null then
        insert into tests.taken
        select m.id, m.send_try, m.contact_id, m.campaign_id from jsonb_to_recordset(v_results) as r (message_id uuid, outcome text) join public.messages m on m.id = r.message_id where r.outcome = 'accepted';
        perform worker.record_sends(v_results);
    end if;
end
$$;
insert into tests.rounds values
('a feeder', $$ perform tests.feed(3); $$),
('another feeder', $$ perform tests.feed(2); commit; perform tests.advance(); $$),
('a manager', $$
    perform tests.call_as('acme.owner', format('select launch_campaign(%L)', (select c.id from public.campaigns c where c.status = 'draft' and c.name like 'Storm%' limit 1)));
    commit;
    perform tests.call_as('acme.owner', format('select %I(%L)', (array['pause_campaign', 'resume_campaign', 'resume_campaign'])[1 + i % 3], c.id))
    from (select c.id from public.campaigns c where c.name like 'Storm%' and c.status in ('sending', 'paused') order by md5(c.id::text || i) limit 1) c;
    commit;
    perform tests.call_as('acme.owner', format('select retry_failed_recipients(%L)', c.id))
    from (select c.id from public.campaigns c where c.name like 'Storm%' and c.launched_at is not null order by md5(c.id::text || i) limit 1) c;
$$),
('an applier', $$
    perform tests.apply((select jsonb_agg(tests.inbound('wamid.a' || i || '.' || c.id, jsonb_build_object('wa_id', ltrim(c.phone, '+')))) from public.contacts c
        where c.full_name like '% Bakar' and c.deleted_at is null and md5(c.id::text || i) < '8'));
    perform tests.apply_statuses((select jsonb_agg(tests.status(m.wa_message_id, (array['sent', 'delivered', 'read', 'delivered'])[1 + i % 4]))
        from (select m.wa_message_id from public.messages m where m.campaign_id is not null and m.wa_message_id is not null order by md5(m.id::text || i) limit 5) m));
$$),
('another applier', $$
    perform tests.apply((select jsonb_agg(tests.inbound('wamid.b' || i || '.' || c.id, jsonb_build_object('wa_id', ltrim(c.phone, '+'))) order by c.id desc) from public.contacts c
        where c.full_name like '% Bakar' and c.deleted_at is null and md5(c.id::text || i) > '8'));
    perform tests.apply_statuses((select jsonb_agg(tests.status(m.wa_message_id, (array['delivered', 'sent', 'read'])[1 + i % 3]) order by m.wa_message_id desc)
        from (select m.wa_message_id from public.messages m where m.campaign_id is not null and m.wa_message_id is not null order by md5(m.id::text || i) limit 5) m));
$$),
('a sender', $$
    perform tests.lease('sender one');
    commit;
    perform tests.take('sender one', i);
    commit;
    perform tests.report();
    commit;
    if i % 5 = 0 then
        update private.phone_leases set lease_until = clock_timestamp() where holder = tests.id('sender one');
    end if;
$$),
('another sender', $$
    perform tests.lease('sender two');
    commit;
    perform tests.take('sender two', i);
    commit;
    perform tests.report();
    commit;
    if i % 4 = 0 then
        update private.phone_leases set lease_until = clock_timestamp() where holder = tests.id('sender two');
    end if;
$$);
-- Senders go on until the others are through: with nothing to send a round takes no time.
create sequence tests.through;
update tests.rounds set statement = statement || case
    when name like '%sender' then $$ exit when (select t.is_called and t.last_value >= 5 from tests.through t); $$
    else $$ if i = 120 then perform nextval('tests.through'); end if; $$ end;
grant all on all sequences in schema tests to public;
grant execute on all functions in schema tests to public;
select tests.draft('Storm ' || i) from generate_series(1, 25) i \g /dev/null
create temporary table players as
select s.name as session, r.name as player from (select name, row_number() over (order by name) as n from tests.sessions) s
join (select name, row_number() over (order by name) as n from tests.rounds) r using (n);
select tests.tell(name, 'reset role') from tests.sessions \g /dev/null
select tests.manage('launch_campaign', c.id) from (select c.id from public.campaigns c where c.name like 'Storm%' order by c.id limit 8) c \g /dev/null
select tests.begin_rounds(session, player, case when player like '%sender' then 50000 else 120 end) from players \g /dev/null
select is(tests.end_rounds(session), null, player || ' came to the end') from players order by player;

select cmp_ok((select count(*) from tests.taken), '>', 20::bigint, 'while Meta took messages');

-- The rest, in peace.
create function tests.finish_all() returns void language plpgsql as $$
begin
    perform tests.manage('launch_campaign', c.id) from public.campaigns c where c.name like 'Storm%' and c.status = 'draft';
    perform tests.manage('resume_campaign', c.id) from public.campaigns c where c.name like 'Storm%' and c.status = 'paused';
    for i in 1..200 loop
        perform tests.lease('sender one');
        perform tests.feed(100);
        perform tests.take('sender one', 0), tests.report();
        update private.outbox set ready_at = clock_timestamp() where state = 'ready';
        perform tests.advance();
        exit when not exists (select from public.campaigns c where c.name like 'Storm%' and c.status <> 'completed');
    end loop;
end
$$;
delete from private.phone_leases;
select tests.finish_all();
select is((select count(*) from public.campaigns c where c.name like 'Storm%' and c.status = 'completed'), 25::bigint, 'all campaigns are completed');
select is_empty($$ select t.contact_id, t.campaign_id, count(*) from tests.taken t where t.campaign_id in (select c.id from public.campaigns c where c.name like 'Storm%')
    group by t.contact_id, t.campaign_id having count(*) > 1 $$, 'Meta took nothing twice');
select is_empty($$ select r.contact_id, r.campaign_id, r.status from public.campaign_recipients r join public.campaigns c on c.id = r.campaign_id
    where c.name like 'Storm%' and r.status in ('sent', 'delivered', 'read') and not exists (select from tests.taken t where t.contact_id = r.contact_id and t.campaign_id = r.campaign_id) $$,
    'the ledger says nothing was sent that was not');
select is_empty($$ select t.contact_id, t.campaign_id from tests.taken t where not exists (
    select from public.campaign_recipients r where r.contact_id = t.contact_id and r.campaign_id = t.campaign_id and r.message_id = t.message_id and r.status in ('sent', 'delivered', 'read')) $$,
    'and of everything Meta took that it was');
select is_empty($$ select c.name, count(r.*) from public.campaigns c left join public.campaign_recipients r on r.campaign_id = c.id where c.name like 'Storm%' group by c.name having count(r.*) <> 5 $$,
    'everybody is in every ledger once');
select is((select count(*) from private.outbox o join public.messages m on m.id = o.message_id where m.campaign_id is not null), 0::bigint, 'nothing is left in the outbox');
select is_empty($$ select m.id from public.messages m where m.campaign_id in (select c.id from public.campaigns c where c.name like 'Storm%') and m.status = 'pending' and m.accepted_at is null $$, 'nor any message without a fate');
select is_empty('select tests.wrong_counts()', 'the counters are recounts');
select is_empty($$ select c.id from public.contacts c left join (select w.contact_id, sum(w.sent) as sent from private.sent_messages w group by w.contact_id) w on w.contact_id = c.id
    where c.full_name like '% Bakar' and c.messages_sent + coalesce(w.sent, 0) <> (select count(*) from public.messages m where m.contact_id = c.id and m.direction = 'outbound') $$, 'and so are those of the contacts');
select is_empty('select * from tests.wrong_unread_counts()', 'and of unread messages');

select * from finish();
\ir helpers/clean.sql
