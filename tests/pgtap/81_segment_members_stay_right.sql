-- After every kind of change the maintained members are those a recomputation finds (tests.members compares), and events tell who moved.

begin;
\ir helpers/load.sql
\ir helpers/segments.sql
select no_plan();
select tests.make_world();
select tests.make_contact('acme', 'acme.ravi', '+60170001111'), tests.make_contact('acme', 'acme.mei', '+60170002222');
insert into public.tags (id, org_id, name) values (tests.id('vip'), tests.id('acme'), 'VIP'), (tests.id('new'), tests.id('acme'), 'New');
insert into public.custom_field_definitions (org_id, key, label, type, options) values
    (tests.id('acme'), 'plan', 'Plan', 'choice', '{free,pro}'), (tests.id('acme'), 'seats', 'Seats', 'number', '{}');
update public.contacts set opt_in_status = 'opted_in' where full_name = 'Acme.Siti';
select tests.make_segment('Opted in', tests.rule('opt_in_status', 'is', '"opted_in"'));
select tests.make_segment('VIPs', tests.rule('tags', 'has_any_of', jsonb_build_array(tests.id('vip'))));
select tests.make_segment('Not VIP', tests.rule('tags', 'has_none_of', jsonb_build_array(tests.id('vip'))));
select tests.make_segment('Pro', tests.rule('custom.plan', 'is', '"pro"'));
select tests.make_segment('Big', tests.rule('custom.seats', 'at_least', '10'));
select tests.make_segment('Wrote', tests.rule('messages_received', 'at_least', '1'));
select tests.make_segment('Written to', tests.rule('messages_sent', 'at_least', '1'));
select tests.make_segment('Active', tests.rule('has_active_conversation', 'is', 'true'));
select tests.make_segment('Silent', tests.rule('has_conversation', 'is', 'false'));
select tests.make_segment('Everybody', '{"all": []}');

select is(tests.members('Opted in'), array['Acme.Siti'], 'at first');
select is(tests.segment_events('Opted in'), '{}', 'silently');
select is(tests.error_for('acme.agent', $$ select set_contact_consent(tests.id('acme.ravi'), 'opted_in') $$), null, 'a contact is edited');
select is(tests.segment_events('Opted in'), array['entered Acme.Ravi (change)'], 'and enters');
select is(tests.members('Opted in'), array['Acme.Ravi', 'Acme.Siti'], 'the segment');
select is((tests.segment('Opted in')).member_count, 2, 'and its count');
update public.contacts set opt_in_status = 'opted_out' where org_id = tests.id('acme');
select is(tests.members('Opted in'), '{}', 'many at once');
select is(cardinality(tests.segment_events('Opted in')), 2, 'leave');
update public.contacts set opt_in_status = 'opted_in' where org_id = tests.id('acme');
update public.contacts set opt_in_status = 'pending' where org_id = tests.id('acme');
select is(tests.segment_events('Opted in'), '{}', 'who comes and goes between two looks was never there');
delete from realtime.messages;
update public.contacts set opt_in_status = 'opted_in' where id = tests.id('acme.mei');
select tests.maintain();
select results_eq($$ select * from tests.heard('org:' || tests.id('acme')) $$,
    $$ select jsonb_build_object('event', 'segments', 'segment_ids', jsonb_build_array((tests.segment('Opted in')).id)) $$, 'the browsers hear which segment');

-- Tags.
select tests.error_for('acme.agent', format('select set_contact_tags(tests.id(''acme.siti''), %L)', array[tests.id('vip'), tests.id('new')]));
select is(tests.members('VIPs'), array['Acme.Siti'], 'a tag');
select is(tests.members('Not VIP'), array['Acme.Mei', 'Acme.Ravi'], 'and its opposite');
select tests.error_for('acme.agent', format('select set_contact_tags(tests.id(''acme.siti''), %L)', array[tests.id('new')]));
select is(tests.members('VIPs'), '{}', 'taken away');
insert into public.contact_tags (org_id, contact_id, tag_id) select org_id, id, tests.id('vip') from public.contacts where org_id = tests.id('acme');
select is(tests.members('VIPs'), array['Acme.Mei', 'Acme.Ravi', 'Acme.Siti'], 'in bulk');
update public.contact_tags set tag_id = tests.id('new') where tag_id = tests.id('vip') and contact_id = tests.id('acme.mei');
select is(tests.members('VIPs'), array['Acme.Ravi', 'Acme.Siti'], 'exchanged');
select is(tests.error_for('acme.owner', $$ select delete_tag(tests.id('vip')) $$), null, 'a tag that rules name may be deleted');
select is(tests.members('VIPs'), '{}', 'nobody carries it then');
select is(tests.members('Not VIP'), array['Acme.Mei', 'Acme.Ravi', 'Acme.Siti'], 'everybody is without');
select is(tests.error_for('acme.owner', format('select update_segment(%L, ''Former VIPs'', null, null, %L)', (tests.segment('VIPs')).id, (tests.segment('VIPs')).updated_at)),
    null, 'the segment can still be renamed');
select is(tests.error_for('acme.owner', format('select update_segment(%L, null, %L, null, %L)', (tests.segment('Former VIPs')).id,
    jsonb_set((tests.segment('Former VIPs')).rules, '{all,1}', '{"field": "email", "operator": "is_empty"}'), (tests.segment('Former VIPs')).updated_at)),
    'SEGMENT_002', 'new rules may not name it');

-- Custom fields.
select is(tests.error_for('acme.agent', format('select update_contact(tests.id(''acme.siti''), %L, %L)', '{"custom_fields": {"plan": "pro", "seats": 12}}',
    (tests.contact('acme.siti')).updated_at)), null, 'custom fields are set');
select is(tests.members('Pro'), array['Acme.Siti'], 'a choice');
select is(tests.members('Big'), array['Acme.Siti'], 'a number');
update public.custom_field_definitions set archived_at = now() where key = 'plan';
select is(tests.members('Pro'), array['Acme.Siti'], 'an archived field keeps its values, and the rules that ask for them');
update public.custom_field_definitions set options = '{free}', archived_at = null where key = 'plan';
select is(tests.members('Pro'), array['Acme.Siti'], 'so does an option that is no longer offered');
update public.custom_field_definitions set type = 'text', options = '{}' where key = 'seats';
select is(tests.members('Big'), '{}', 'rules that a changed definition makes senseless match nobody');
select isnt((select p.problem from private.segment_programs p where p.segment_id = (tests.segment('Big')).id), null, 'and say why');
update public.custom_field_definitions set type = 'number' where key = 'seats';
select is(tests.members('Big'), array['Acme.Siti'], 'until it is mended');
delete from public.custom_field_definitions where key = 'seats';
select is(tests.members('Big'), '{}', 'a definition that is gone');
select is(tests.members('Pro'), array['Acme.Siti'], 'stands in no other segment''s way');

-- Messages and conversations.
select is(tests.members('Active'), array['Acme.Siti'], 'an open conversation');
select is(tests.members('Wrote'), '{}', 'without a message');
select tests.receive('wamid.1');
select is(tests.members('Wrote'), array['Acme.Siti'], 'a message comes');
select tests.sent('wamid.2');
select is(tests.members('Written to'), array['Acme.Siti'], 'one goes');
select is(tests.members('Silent'), array['Acme.Mei', 'Acme.Ravi'], 'who has no conversation');
select tests.receive('wamid.3', '{"wa_id": "60170001111"}');
select is(tests.members('Silent'), array['Acme.Mei'], 'a first message makes one');
select is(tests.members('Wrote'), array['Acme.Ravi', 'Acme.Siti'], 'and counts');
select tests.error_for('acme.agent', $$ select resolve_conversation(tests.id('acme.thread')) $$);
select is(tests.members('Active'), array['Acme.Ravi'], 'resolved');
update public.conversations set status = 'pending', last_message_at = now() where id = tests.id('acme.thread');
select is(tests.members('Active'), array['Acme.Ravi', 'Acme.Siti'], 'pending is active too');
update public.conversations set contact_id = tests.id('acme.mei') where id = tests.id('acme.thread');
select is(tests.members('Active'), array['Acme.Mei', 'Acme.Ravi'], 'a conversation that moves to another contact');
delete from public.conversations where id = tests.id('acme.thread');
select is(tests.members('Active'), array['Acme.Ravi'], 'or is gone');

-- New, trashed, restored, erased, gone.
select is(tests.error_for('acme.agent', $$ select create_contact(tests.id('acme'), '{"phone": "+60199998888", "full_name": "Zul"}') $$), null, 'a new contact');
select is(tests.members('Everybody'), array['Acme.Mei', 'Acme.Ravi', 'Acme.Siti', 'Zul'], 'is somebody');
select tests.error_for('acme.owner', $$ select delete_contact(tests.id('acme.siti')) $$);
select is(tests.members('Everybody'), array['Acme.Mei', 'Acme.Ravi', 'Zul'], 'one in the trash is nobody');
select is(tests.error_for('acme.' || r, format('select explain_segment(%L, tests.id(''acme.siti''))', (tests.segment('Everybody')).id)), c, r || ' asking why')
from (values ('viewer', 'CONTACT_001'), ('campaign_manager', 'CONTACT_001'), ('admin', null)) v (r, c);
select is((tests.segment('Everybody')).member_count, 3, 'and not counted');
select tests.error_for('acme.owner', $$ select restore_contact(tests.id('acme.siti')) $$);
select is(tests.members('Everybody'), array['Acme.Mei', 'Acme.Ravi', 'Acme.Siti', 'Zul'], 'restored');
-- Mei has no messages of her own: those of the double come to her.
select tests.make_contact('acme', 'acme.double', '+60170003333'), tests.receive('wamid.4', '{"wa_id": "60170003333"}');
insert into public.contact_tags (org_id, contact_id, tag_id) values (tests.id('acme'), tests.id('acme.double'), tests.id('new'));
select tests.make_segment('New ones', tests.rule('tags', 'has_any_of', jsonb_build_array(tests.id('new'))));
select tests.error_for('acme.owner', format('select pin_segment_contacts(%L, %L, ''include'')', (tests.segment('Opted in')).id, array[tests.id('acme.double')]));
select is(tests.members('Wrote'), array['Acme.Double', 'Acme.Ravi', 'Acme.Siti'], 'a double');
select is(tests.error_for('acme.owner', $$ select merge_contacts(tests.id('acme.mei'), tests.id('acme.double')) $$), null, 'is merged');
select is(tests.members('Wrote'), array['Acme.Mei', 'Acme.Ravi', 'Acme.Siti'], 'into who is kept');
select is(tests.members('New ones'), array['Acme.Mei', 'Acme.Siti'], 'with the tags');
select ok('Acme.Mei' = any (tests.members('Opted in')), 'and the pins');
select is(tests.error_for('acme.owner', $$ select erase_contact(tests.id('acme.siti'), 'ERASE') $$), null, 'erased');
select is(tests.members('Everybody'), array['Acme.Mei', 'Acme.Ravi', 'Zul'], 'is nobody');
select is((select count(*) from public.segment_members where contact_id = tests.id('acme.siti')), 0::bigint, 'in no segment');
delete from public.contacts where id in (tests.id('acme.siti'), tests.id('acme.mei'));
select is(tests.members('Everybody'), array['Acme.Ravi', 'Zul'], 'gone from the table');
select is((select count(*) from public.segment_members where contact_id = tests.id('acme.mei')), 0::bigint, 'and from every list');

-- Counters and other writes that no rule reads leave no line.
update public.contacts set updated_at = now(), avatar_url = 'https://x.test/a.png' where org_id = tests.id('acme');
update public.conversations set unread_count = 3, last_message_at = now() where org_id = tests.id('acme');
select is((select count(*) from private.contact_changes), 0::bigint, 'what no rule reads is not looked at');

-- The queue is handled in pieces, and an organisation without segments leaves nothing behind.
update public.contacts set full_name = full_name || '!' where org_id in (tests.id('acme'), tests.id('globex'));
select is((select count(*) from private.contact_changes), 3::bigint, 'changes wait');
select results_eq($$ select tests.worker_says('select handled from worker.maintain_segments(1)') $$, $$ values ('1') $$, 'one by one');
select is(tests.members('Everybody'), array['Acme.Ravi!', 'Zul!'], 'and all in the end');
select is((select count(*) from private.contact_changes), 0::bigint, 'of both organisations');

-- An organisation whose segments cannot be worked out keeps nobody else waiting, and loses nothing.
select tests.make_segment('Theirs', '{"all": []}', 'globex'), tests.maintain();
create temporary table sound as select * from private.segment_statements where org_id = tests.id('acme');
update private.segment_statements set expression = 'array[1 / 0 = 1]' where org_id = tests.id('acme') and level = 0;
update public.contacts set full_name = full_name || '?';
update private.segment_clocks set served_at = '-infinity' where org_id = tests.id('acme');
select is(tests.worker_says('select handled from worker.maintain_segments(100)'), (select count(*)::text from public.contacts where org_id = tests.id('globex')), 'others are served');
select is((select count(*) from private.contact_changes where org_id = tests.id('acme')) > 0, true, 'its own changes wait');
delete from private.segment_statements where org_id = tests.id('acme');
insert into private.segment_statements select * from sound;
select is(tests.members('Everybody'), array['Acme.Ravi!?', 'Zul!?'], 'until it can');

-- The instrument: a difference is seen.
insert into public.segment_members (segment_id, contact_id, org_id, entered_at) values ((tests.segment('Pro')).id, tests.id('acme.ravi'), tests.id('acme'), now());
delete from public.segment_members where segment_id = (tests.segment('Everybody')).id and contact_id = tests.id('acme.ravi');
select set_eq(
    $$ select s.name || ': ' || d.problem from private.segment_differences(tests.id('acme')) d join public.segments s on s.id = d.segment_id $$,
    array['Pro: extra', 'Pro: counted 0, are 1', 'Everybody: missing', 'Everybody: counted 2, are 1'], 'what is wrong is found'
);

-- Old events go.
insert into private.segment_events (org_id, segment_id, contact_id, kind, cause, created_at)
select tests.id('acme'), (tests.segment('Pro')).id, tests.id('acme.ravi'), 'entered', 'change', private.clock() - d from unnest(array[interval '31 days', interval '29 days']) d;
select is(tests.worker_says('select worker.purge_segment_events(100)'), '1', 'after thirty days');

select * from finish();
rollback;
