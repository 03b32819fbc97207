-- What became of the messages of a campaign, in the ledger and for the people: statuses, refusals, answers, uncertainty, and the end.

begin;
\ir helpers/load.sql
\ir helpers/ledger.sql
select no_plan();
select tests.make_campaign_world();
select tests.make_people('Ali', 'Bea', 'Chan', 'Devi');
select tests.launch('First') as first \gset
select tests.feed() \g /dev/null

-- The way of a message.
select is(tests.send_all(), 4, 'all leave');
select is(tests.ledger(:'first'), array['Ali Bakar sent', 'Bea Bakar sent', 'Chan Bakar sent', 'Devi Bakar sent'], 'what Meta has taken is sent');
select tests.hear(:'first', 'acme.ali', 'read') \g /dev/null
select is((select row (r.status, r.delivered_at is not null, r.read_at is not null)::text from tests.recipient(:'first', 'acme.ali') r), '(read,t,t)', 'a status climbs, and skips');
select tests.hear(:'first', 'acme.ali', 'delivered') \g /dev/null
select is((tests.recipient(:'first', 'acme.ali')).status, 'read', 'and never falls');
select tests.hear(:'first', 'acme.bea', 'delivered') \g /dev/null
select tests.hear(:'first', 'acme.chan', 'failed', '131053') \g /dev/null
select is(tests.ledger(:'first'), array['Ali Bakar read', 'Bea Bakar delivered', 'Chan Bakar failed 131053', 'Devi Bakar sent'], 'each row follows its message');
select tests.hear(:'first', 'acme.chan', 'delivered') \g /dev/null
select is((select row (r.status, r.error_code, r.failed_at)::text from tests.recipient(:'first', 'acme.chan') r), '(delivered,,)', 'a delivery proves a failure wrong');
select is(tests.advance(), 1, 'with nobody waiting');
select is(tests.state(:'first'), 'completed', 'sending → completed');
select is((select row (s.total, s.sent, s.delivered, s.read, s.failed)::text from private.campaign_stats s where s.campaign_id = :'first'), '(4,4,3,1,0)', 'sent, delivered and read: at least that');
select ok(exists (select from public.notifications n where n.kind = 'campaign.completed'), 'managers are told');
select is(tests.advance(), 0, 'once');

-- Answers.
select tests.receive('wamid.answer', jsonb_build_object('wa_id', ltrim((tests.contact('acme.bea')).phone, '+'))) \g /dev/null
select is((tests.recipient(:'first', 'acme.bea')).replied_at, null, 'an answer is noted');
select tests.advance() \g /dev/null
select ok((tests.recipient(:'first', 'acme.bea')).replied_at is not null, 'and marked within a second');
select is((select row (c.is_quiet, c.folder, c.unread_count)::text from public.conversations c where c.contact_id = tests.id('acme.bea')), '(f,active,1)', 'the thread wakes');
select tests.launch('Second') as second \gset
select tests.feed(), tests.send_all() \g /dev/null
select tests.receive('wamid.quoting', jsonb_build_object('wa_id', ltrim((tests.contact('acme.ali')).phone, '+'), 'reply_to', 'wamid.' || (tests.recipient(:'first', 'acme.ali')).message_id)) \g /dev/null
select tests.receive('wamid.plain', jsonb_build_object('wa_id', ltrim((tests.contact('acme.chan')).phone, '+'))) \g /dev/null
select tests.advance() \g /dev/null
select is((select row ((tests.recipient(:'first', 'acme.ali')).replied_at is not null, (tests.recipient(:'second', 'acme.ali')).replied_at is not null)::text), '(t,f)', 'what quotes a campaign answers that one');
select is((select row ((tests.recipient(:'first', 'acme.chan')).replied_at is not null, (tests.recipient(:'second', 'acme.chan')).replied_at is not null)::text), '(f,t)', 'what quotes nothing answers the last');
select tests.set_clock(now() + interval '8 days');
select tests.receive('wamid.late', jsonb_build_object('wa_id', ltrim((tests.contact('acme.devi')).phone, '+'))) \g /dev/null
select tests.advance() \g /dev/null
select is((tests.recipient(:'second', 'acme.devi')).replied_at, null, 'after the attribution days it answers nothing');

-- The person's limit: a day later, three times at most, never two messages under way.
select tests.launch('Third') as third \gset
select tests.feed(), tests.send_all() \g /dev/null
select (tests.recipient(:'third', 'acme.ali')).message_id as old_message \gset
select tests.advance() \g /dev/null
select is(tests.state(:'third'), 'completed', 'a campaign is completed');
select tests.hear(:'third', 'acme.ali', 'failed', '131049') \g /dev/null
select is((select row (r.status, r.ready_at = private.clock() + interval '24 hours', r.attempts)::text from tests.recipient(:'third', 'acme.ali') r), '(waiting,t,1)', '131049 waits a day');
select tests.advance() \g /dev/null
select is(tests.state(:'third'), 'sending', 'and its campaign is sending again');
select tests.advance() \g /dev/null
select is((tests.campaign(:'third')).resumes_at, private.clock() + interval '24 hours', 'until then, as people can see');
select is(tests.feed(), 0, 'not before');
select tests.set_clock(private.clock() + interval '24 hours');
select is(tests.feed(), 1, 'then there is a new message');
select is((select row (r.status, r.attempts, r.message_id <> :'old_message')::text from tests.recipient(:'third', 'acme.ali') r), '(queued,2,t)', 'the second');
select tests.apply_statuses(jsonb_build_array(tests.status('wamid.' || :'old_message', 'delivered'))) \g /dev/null
select is((tests.recipient(:'third', 'acme.ali')).status, 'queued', 'what is still heard of the first concerns nobody');
select (tests.recipient(:'third', 'acme.ali')).* \gset ali_
update public.campaign_recipients set status = 'excluded', exclusion_reason = 'frequency_cap', message_id = :'old_message', ready_at = null
where campaign_id = :'third' and contact_id = tests.id('acme.ali');
select private.settle_ledger(array[:'old_message'::uuid]) \g /dev/null
select is((select row (r.status, r.exclusion_reason)::text from tests.recipient(:'third', 'acme.ali') r), '(delivered,)', 'whom it reached after all was no exclusion');
update public.campaign_recipients set status = 'queued', exclusion_reason = null, message_id = :'ali_message_id', delivered_at = null
where campaign_id = :'third' and contact_id = tests.id('acme.ali');
select tests.send_all('failed', '{"error_code": "131049"}') \g /dev/null
select is((tests.recipient(:'third', 'acme.ali')).status, 'waiting', 'refused at once it waits again');
select tests.set_clock(private.clock() + interval '24 hours');
select tests.feed(), tests.send_all('failed', '{"error_code": "131049"}') \g /dev/null
select is(tests.ledger(:'third'), array['Ali Bakar failed 131049', 'Bea Bakar sent', 'Chan Bakar sent', 'Devi Bakar sent'], 'the third refusal is the last');

-- What a refusal says about the person.
select tests.hear(:'third', 'acme.bea', 'failed', '131050') \g /dev/null
select tests.hear(:'third', 'acme.chan', 'failed', '131026') \g /dev/null
select tests.advance() \g /dev/null
select is((select row (c.opt_in_status, c.opt_in_source, c.marketing_stopped_at is not null)::text from tests.contact('acme.bea') c), '(opted_out,whatsapp,t)', '131050 opts out');
select is((select x.source || ' ' || x.evidence from public.contact_consents x where x.contact_id = tests.id('acme.bea')), 'whatsapp Stopped marketing in WhatsApp (131050)', 'on record');
select ok((tests.contact('acme.chan')).not_on_whatsapp_at is not null, '131026 marks the number');
select is((select jsonb_object_agg(f ->> 'code', f -> 'may_be_retried') from jsonb_array_elements(tests.manage('campaign_detail', :'third')::jsonb -> 'failures') f),
    '{"131026": false, "131049": true, "131050": false}', 'neither can be tried again, as the page says');
select is(tests.manage('retry_failed_recipients', :'third'), '1', 'and neither is');
select is(tests.state(:'third'), 'sending', 'completed → sending');
select is((select row (r.status, r.attempts)::text from tests.recipient(:'third', 'acme.ali') r), '(waiting,0)', 'who failed otherwise waits');
select tests.receive('wamid.alive', jsonb_build_object('wa_id', ltrim((tests.contact('acme.chan')).phone, '+'))) \g /dev/null
select is((tests.contact('acme.chan')).not_on_whatsapp_at, null, 'who writes is on WhatsApp');
update public.contacts set not_on_whatsapp_at = now() where id = tests.id('acme.devi');
update public.contacts set phone = '+60123999999', wa_id = null where id = tests.id('acme.devi');
select is((tests.contact('acme.devi')).not_on_whatsapp_at, null, 'so may be a new number');

-- Preferences that people set in WhatsApp.
create function tests.preference(p_contact text, p_value text, p_at timestamptz default private.clock()) returns void language plpgsql as $$
begin
    perform tests.for_worker(format('select worker.apply_user_preferences(%L)', jsonb_build_array(jsonb_build_object('webhook_event_id', 1, 'phone_number_id', '1001',
        'wa_id', ltrim((tests.contact(p_contact)).phone, '+'), 'user_id', null, 'category', 'marketing_messages', 'value', p_value, 'occurred_at', p_at))));
end
$$;
select tests.preference('acme.bea', 'resume');
select is((select row (c.opt_in_status, c.marketing_stopped_at)::text from tests.contact('acme.bea') c), '(opted_in,)', 'who resumes has the consent back that the stop took');
select tests.preference('acme.devi', 'stop');
select is((tests.contact('acme.devi')).opt_in_status, 'opted_out', 'who stops opts out');
select tests.preference('acme.devi', 'resume', private.clock() - interval '1 hour');
select is((tests.contact('acme.devi')).opt_in_status, 'opted_out', 'an older word that comes late changes nothing');
select tests.preference('acme.devi', 'signup', private.clock() + interval '1 hour');
select is((tests.contact('acme.devi')).opt_in_status, 'opted_out', 'nor does one that is no consent');
update public.contacts set opt_in_status = 'opted_out', marketing_stopped_at = null where id = tests.id('acme.ali');
select tests.preference('acme.ali', 'resume');
select is((tests.contact('acme.ali')).opt_in_status, 'opted_out', 'resuming makes no consent that was withdrawn otherwise');
update public.contacts set opt_in_status = 'opted_in', marketing_stopped_at = null where org_id = tests.id('acme');
update public.campaigns set status = 'cancelled' where status = 'sending';

-- The number's limit pauses what it sends, and nobody is lost.
select tests.launch('Spam') as spam \gset
select tests.launch('Other') as other \gset
select tests.feed(2) \g /dev/null
select tests.send_all('failed', '{"error_code": "131048"}') \g /dev/null
select tests.advance() \g /dev/null
select is(array[tests.state(:'spam'), tests.state(:'other')], array['paused 131048', 'paused 131048'], '131048 pauses the campaigns of the number');
select is((select count(*) from public.campaign_recipients r where r.campaign_id in (:'spam', :'other') and r.status <> 'waiting'), 0::bigint, 'everybody waits');
select tests.manage('resume_campaign', :'spam') \g /dev/null
select is(tests.feed(), 4, 'until a person lets it go on');

-- Uncertain: settled by a status, else by what the campaign would rather.
select tests.send_all('uncertain') \g /dev/null
select is(tests.ledger(:'spam'), array['Ali Bakar queued uncertain', 'Bea Bakar queued uncertain', 'Chan Bakar queued uncertain', 'Devi Bakar queued uncertain'], 'lost answers are shown');
select tests.hear(:'spam', 'acme.ali', 'sent') \g /dev/null
select is((select row (r.status, r.is_uncertain)::text from tests.recipient(:'spam', 'acme.ali') r), '(sent,f)', 'a status settles');
select tests.set_clock(private.clock() + interval '25 hours');
select tests.advance() \g /dev/null
select is(tests.ledger(:'spam'), array['Ali Bakar sent', 'Bea Bakar failed WA_008', 'Chan Bakar failed WA_008', 'Devi Bakar failed WA_008'], 'rather miss: failed after the deadline');
select is((select count(*) from private.outbox), 0::bigint, 'and nothing is left of them');
select is(tests.manage('retry_failed_recipients', :'spam'), '0', 'nor tried again: they may have arrived');
select tests.launch('Repeat', '{"uncertain_policy": "repeat", "uncertain_hours": 2}') as repeat \gset
select tests.feed(), tests.send_all('uncertain') \g /dev/null
select tests.advance() \g /dev/null
select is(tests.state(:'repeat'), 'sending', 'rather repeat: the campaign is not through');
select tests.set_clock(private.clock() + interval '2 hours 1 minute');
select tests.advance() \g /dev/null
select is(tests.ledger(:'repeat'), array['Ali Bakar queued', 'Bea Bakar queued', 'Chan Bakar queued', 'Devi Bakar queued'], 'another try after the deadline');
select is((select array_agg(distinct m.send_try::integer) from public.messages m where m.campaign_id = :'repeat'), array[1], 'of the same message');
select tests.manage('pause_campaign', :'repeat') \g /dev/null
select is(tests.ledger(:'repeat'), array['Ali Bakar queued uncertain', 'Bea Bakar queued uncertain', 'Chan Bakar queued uncertain', 'Devi Bakar queued uncertain'],
    'a pause makes them uncertain again: they may have arrived');
select is((select count(*) from public.messages m where m.campaign_id = :'repeat'), 4::bigint, 'and keeps the messages');
select tests.manage('resume_campaign', :'repeat') \g /dev/null
select tests.set_clock(private.clock() + interval '2 hours 1 minute');
select tests.advance() \g /dev/null
select is(tests.send_all(), 4, 'after which they go on');
select is((tests.recipient(:'repeat', 'acme.bea')).status, 'sent', 'and arrive');
select is((select array_agg(distinct m.send_try::integer) from public.messages m where m.campaign_id = :'repeat'), array[2], 'the second other try');

-- People who are merged or erased.
select tests.make_people('Twin');
select tests.launch('People') as people \gset
select tests.feed(), tests.send_all() \g /dev/null
select tests.hear(:'people', 'acme.twin', 'read') \g /dev/null
select tests.login_as('acme.owner');
select merge_contacts(tests.id('acme.ali'), tests.id('acme.twin')) \g /dev/null
select tests.logout();
select is(tests.ledger(:'people'), array['Ali Bakar read', 'Bea Bakar sent', 'Chan Bakar sent', 'Devi Bakar sent'], 'two people who are one have one row, the one that got further');
select is((select array_agg(distinct r.contact_id) from public.campaign_recipients r where r.contact_id = tests.id('acme.twin')), null, 'in all campaigns');
select tests.login_as('acme.owner');
select erase_contact(tests.id('acme.bea'), 'ERASE') \g /dev/null
select tests.logout();
select is((select row (r.status, r.error_message)::text from tests.recipient(:'people', 'acme.bea') r), '(sent,)', 'of an erased person the row stays');
select is_empty($$ select tests.wrong_counts() $$, 'all counters equal a recount');

select * from finish();
rollback;
