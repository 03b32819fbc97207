-- Two contacts that are one person (design §6).

begin;
\ir helpers/load.sql
select no_plan();
select tests.make_world();
select tests.make_account('acme', 'acme.second', '2001');
-- Siti, known by phone, and the same person who now hides her number.
select tests.make_contact('acme', 'acme.hidden', null, 'MY.12345678');
update public.contacts set full_name = null, phone = null, wa_id = null, username = 'siti_b', company = 'Kedai', custom_fields = '{"tier": "Gold", "points": 5}', opt_in_status = 'opted_in',
    opt_in_at = now() - interval '1 day', opt_in_source = 'whatsapp', notes = 'second', created_at = now() - interval '9 days' where id = tests.id('acme.hidden');
update public.contacts set custom_fields = '{"points": 7}', notes = 'first', company = null where id = tests.id('acme.siti');
select tests.make_conversation('acme', 'hidden.thread', 'acme.number', 'acme.hidden', interval '20 hours');
select tests.make_conversation('acme', 'hidden.second', 'acme.second', 'acme.hidden', interval '-1 hour');
insert into public.tags (id, org_id, name) values (tests.id('a'), tests.id('acme'), 'A'), (tests.id('b'), tests.id('acme'), 'B');
insert into public.contact_tags (org_id, contact_id, tag_id) values (tests.id('acme'), tests.id('acme.siti'), tests.id('a')), (tests.id('acme'), tests.id('acme.hidden'), tests.id('a')),
    (tests.id('acme'), tests.id('acme.hidden'), tests.id('b'));
insert into public.contact_consents (org_id, contact_id, old_status, new_status, source) values (tests.id('acme'), tests.id('acme.hidden'), 'pending', 'opted_in', 'whatsapp');
insert into public.segments (id, org_id, name, kind) values (tests.id('list'), tests.id('acme'), 'List', 'static');
insert into public.segment_pins (segment_id, contact_id, org_id, kind) values (tests.id('list'), tests.id('acme.hidden'), tests.id('acme'), 'include');
select tests.receive('w.1', '{"body": "by phone"}');
select tests.error_for('acme.agent', $$ select mark_conversation_read(tests.id('acme.thread')) $$);
select tests.receive('w.2', jsonb_build_object('wa_id', null, 'bsuid', 'MY.12345678', 'body', 'by id', 'occurred_at', private.clock() + interval '1 hour'));
select tests.receive('w.3', jsonb_build_object('wa_id', null, 'bsuid', 'MY.12345678', 'body', 'other number', 'phone_number_id', '2001', 'occurred_at', private.clock() + interval '2 seconds'));
select tests.queue('waits', 'hidden.thread');
insert into private.sent_messages (org_id, contact_id, sent, last_at) values (tests.id('acme'), tests.id('acme.hidden'), 2, private.clock() + interval '2 hours'),
    (tests.id('acme'), tests.id('acme.siti'), 0, '-infinity');

-- Refused.
select is(tests.error_for('acme.agent', $$ select merge_contacts(tests.id('acme.siti'), tests.id('acme.hidden')) $$), 'AUTH_003', 'an agent merges nobody: one of them goes');
select is(tests.error_for('acme.admin', $$ select merge_contacts(tests.id('acme.siti'), tests.id('acme.siti')) $$), 'CONTACT_009', 'two are needed');
select is(tests.error_for('acme.admin', $$ select merge_contacts(tests.id('acme.siti'), tests.id('globex.siti')) $$), 'CONTACT_001', 'of one organisation');
select is(tests.error_for('globex.owner', $$ select merge_contacts(tests.id('acme.siti'), tests.id('acme.hidden')) $$), 'CONTACT_001', 'one''s own');
select tests.make_contact('acme', 'acme.gone', '+60130000000');
update public.contacts set deleted_at = now() where id = tests.id('acme.gone');
select is(tests.error_for('acme.admin', $$ select merge_contacts(tests.id('acme.siti'), tests.id('acme.gone')) $$), 'CONTACT_009', 'the trash is not merged');
select is(tests.error_for('acme.admin', $$ select merge_contacts(tests.id('acme.gone'), tests.id('acme.siti')) $$), 'CONTACT_009', 'nor merged into');
select tests.error_for('acme.admin', $$ select merge_contacts(null, null) $$);

-- Merged.
create temporary table messages_before as select count(*) as n from public.messages;
select is(tests.error_for('acme.campaign_manager', $$ select merge_contacts(tests.id('acme.siti'), tests.id('acme.hidden')) $$), null, 'merged');
select is((select count(*) from public.contacts where id = tests.id('acme.hidden')), 0::bigint, 'one is gone');
select results_eq(
    $$ select phone, wa_id, bsuid, username, full_name, company, notes, custom_fields, opt_in_status, opt_in_source, opt_in_at, created_at from public.contacts where id = tests.id('acme.siti') $$,
    $$ values ('+60123451001', '60123451001', 'MY.12345678', 'siti_b', 'Acme.Siti', 'Kedai', E'first\n\nsecond', '{"tier": "Gold", "points": 7}'::jsonb, 'opted_in', 'whatsapp',
        now() - interval '1 day', now() - interval '9 days') $$,
    'the other has all identities, and what it lacked'
);
select is((select count(*) from public.messages), (select n from messages_before), 'no message is lost');
select is((select count(*) from public.messages where contact_id <> tests.id('acme.siti')), 0::bigint, 'all are hers');
select is((select array_agg(body order by occurred_at) from public.messages where conversation_id = tests.id('acme.thread') and direction = 'inbound'), '{"by phone","by id"}', 'of one number in one thread');
select is((tests.conversation('hidden.second')).contact_id, tests.id('acme.siti'), 'of another number in its own');
select is((select count(*) from public.conversations where id = tests.id('hidden.thread')), 0::bigint, 'the doubled thread is gone');
select is((select count(*) from tests.wrong_unread_counts()), 0::bigint, 'unread counts equal a recount');
select is((tests.conversation('acme.thread')).unread_count, 1, 'what nobody has read is still unread');
select is((tests.conversation('acme.thread')).last_message_preview, 'by id', 'the preview is the newest message');
select is((select conversation_id from private.outbox), tests.id('acme.thread'), 'what waits leaves in the thread that is left');
select is((select array_agg(tag_id order by tag_id) from public.contact_tags where contact_id = tests.id('acme.siti')), array(select x from unnest(array[tests.id('a'), tests.id('b')]) x order by x), 'tags are those of both');
select is((select array_agg(new_status order by id) from public.contact_consents where contact_id = tests.id('acme.siti')), '{opted_in,opted_in}', 'consents came along, and the change is on record');
select is((select array_agg(contact_id) from public.segment_pins), array[tests.id('acme.siti')], 'so did pins');
select is(
    (select row (messages_received, messages_sent)::text from public.contacts where id = tests.id('acme.siti')), '(3,3)', 'counts are added up'
);
select is((select last_message_at from public.contacts where id = tests.id('acme.siti')), private.clock() + interval '2 hours', 'and what was not counted yet is her last message');
select is((select count(*) from public.activity_log where contact_id = tests.id('acme.hidden')), 0::bigint, 'the feed is of the one that stays');
select is((select data from public.activity_log where kind = 'contact.merged'), jsonb_build_object('merged_id', tests.id('acme.hidden'), 'name', 'Siti'), 'and tells it');
select tests.receive('w.4', jsonb_build_object('wa_id', null, 'bsuid', 'MY.12345678', 'body', 'again'));
select is((tests.wa_message('w.4')).contact_id, tests.id('acme.siti'), 'who writes by either identity is her');
select is((select count(*) from private.contact_search where contact_id = tests.id('acme.hidden')), 0::bigint, 'the search has forgotten the other');

-- Consent.
create function tests.merged_consent(p_keep text, p_merge text) returns text language plpgsql as $$
declare
    v_name text := 'c.' || p_keep || '.' || p_merge;
begin
    perform tests.make_contact('acme', v_name || 1, '+60111' || abs(hashtext(v_name)) % 1000000 + 1000000), tests.make_contact('acme', v_name || 2, '+60112' || abs(hashtext(v_name)) % 1000000 + 1000000);
    update public.contacts set opt_in_status = p_keep where id = tests.id(v_name || 1);
    update public.contacts set opt_in_status = p_merge where id = tests.id(v_name || 2);
    perform tests.error_for('acme.admin', format('select merge_contacts(%L, %L)', tests.id(v_name || 1), tests.id(v_name || 2)));
    return (tests.contact(v_name || 1)).opt_in_status;
end
$$;
select is(tests.merged_consent(k, m), e, format('%s and %s', k, m)) from (values
    ('opted_in', 'opted_out', 'opted_out'), ('opted_out', 'opted_in', 'opted_out'), ('pending', 'opted_in', 'opted_in'), ('opted_in', 'pending', 'opted_in'),
    ('pending', 'opted_out', 'opted_out'), ('pending', 'pending', 'pending')
) v (k, m, e);

select * from finish();
rollback;
