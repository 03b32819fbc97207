-- Templates in the inbox: who may get which, what is kept and handed out, and what happens when the template changes on the way.

begin;
\ir helpers/load.sql
select no_plan();
select tests.make_world();
select tests.make_contact('acme', 'acme.ravi', '+60177777777'), tests.make_conversation('acme', 'acme.shut', 'acme.number', 'acme.ravi', interval '-1 second');
select tests.make_template('acme.hello'), tests.make_template('acme.sale', 'approved', 'marketing', tests.body('Everything is cheaper today.')),
    tests.make_template('globex.hello');

create function tests.send_template(p_name text, p_values jsonb default '{"body.1": "A-17"}', p_thread text default 'acme.shut', p_key text default null, p_user text default 'acme.agent')
returns text language sql as $$
    select tests.error_for(p_user, format('select send_message(%L, %L, ''template'', null, %L)', tests.id(p_thread), coalesce(p_key, 'template-key-' || nextval('tests.keys')),
        jsonb_build_object('template_id', tests.id(p_name), 'values', p_values)))
$$;
create function tests.last_message() returns public.messages language sql stable security definer set search_path = '' as $$
    select m from public.messages m where m.direction = 'outbound' order by m.id desc limit 1
$$;

select is(tests.send_template('acme.hello', p_key => 'the-first-key'), null, 'a template opens a conversation whose window is shut');
select results_eq('select type, body, template_id, status, payload from tests.last_message()', $$ values ('template', 'Your order A-17 is ready.', tests.id('acme.hello'), 'pending',
    jsonb_build_object('template_id', tests.id('acme.hello'), 'values', '{"body.1": "A-17"}'::jsonb, 'template', '{"name": "hello", "language": {"code": "en_US"},
        "components": [{"type": "body", "parameters": [{"type": "text", "text": "A-17"}]}]}'::jsonb)) $$, 'the message keeps its text, its values and what Meta gets');
select is((tests.outbox((tests.last_message()).id)).lane, 0::smallint, 'it leaves with the replies');
select is(tests.send_template('acme.hello', p_key => 'the-first-key'), null, 'the same key again');
select is((select count(*) from public.messages where template_id is not null), 1::bigint, 'is the same message');
select is(tests.send_template('acme.hello', '{"body.1": "B-18"}', p_key => 'the-first-key'), 'MESSAGE_005', 'with another value it is a mistake');
select is(tests.send_template('acme.sale', '{}', p_key => 'the-first-key'), 'MESSAGE_005', 'or another template');

-- Values.
select is(tests.send_template('acme.hello', v), c, v::text) from (values
    ('{}'::jsonb, 'TEMPLATE_009'), ('{"body.1": ""}', 'TEMPLATE_009'), ('[]', 'MESSAGE_003'), ('"x"', 'MESSAGE_003')) v (v, c);
select tests.login_as('acme.agent');
select is(tests.details_of(format('select send_message(%L, ''a-key-of-its-own'', ''template'', null, %L)', tests.id('acme.shut'), jsonb_build_object('template_id', tests.id('acme.hello'))))
    #>> '{problems,0,key}', 'body.1', 'which is said');
select tests.logout();
select is(tests.error_for('acme.agent', format('select send_message(%L, ''a-key-of-its-own'', ''template'', null, %L)', tests.id('acme.shut'),
    jsonb_build_object('template_id', tests.id('acme.hello'), 'values', '{"body.1": "x"}'::jsonb, 'template', '{"name": "another"}'::jsonb))), 'MESSAGE_003', 'what Meta gets is not the caller''s to say');
select is(tests.send_template('acme.hello', '{"body.1": "A\n\n17   and     more"}'), null, 'line breaks');
select is((tests.last_message()).body, 'Your order A 17 and more is ready.', 'become what Meta takes');
select is(tests.send_template('globex.hello'), 'TEMPLATE_001', 'other people''s templates do not exist');
select is(tests.send_template('acme.hello', p_user => u), c, u) from (values ('acme.viewer', 'AUTH_003'), ('acme.campaign_manager', 'AUTH_003'), ('globex.agent', 'CONVERSATION_001'), ('acme.owner', null)) v (u, c);

-- States, consent, quality, account.
create function tests.send_when(p_status text, p_meta_status text default null) returns text language plpgsql as $$
begin
    update public.templates set status = p_status, meta_status = p_meta_status where id = tests.id('acme.hello');
    return tests.send_template('acme.hello');
end
$$;
select is(tests.send_when(s), case s when 'approved' then null else 'WA_002' end, s) from unnest(array['draft', 'pending', 'rejected', 'disabled', 'approved']) s;
select is(tests.send_when('approved', 'FLAGGED'), null, 'a flagged one is approved still');
select is(tests.send_template('acme.sale', '{}'), 'CONTACT_008', 'marketing to somebody who was not asked');
update public.contacts set opt_in_status = 'opted_in' where id = tests.id('acme.ravi');
select is(tests.send_template('acme.sale', '{}'), null, 'and who agreed');
update public.whatsapp_accounts set quality_rating = 'RED' where id = tests.id('acme.number');
select is(tests.send_template('acme.sale', '{}'), 'WA_007', 'marketing stops at quality RED');
select is(tests.send_template('acme.hello'), null, 'what somebody waits for does not');
update public.whatsapp_accounts set quality_rating = 'GREEN' where id = tests.id('acme.number');
select tests.make_account('acme', 'acme.second', '1777'), tests.make_conversation('acme', 'acme.other', 'acme.second', 'acme.ravi', interval '1 hour');
select is(tests.send_template('acme.hello', p_thread => 'acme.other'), 'WA_002', 'another WhatsApp account does not know the template');

-- Claims.
delete from private.outbox;
select tests.send_template('acme.hello');
select (tests.last_message()).id as one \gset
select tests.send_template('acme.sale', '{}');
select (tests.last_message()).id as two \gset
select tests.lease('sender');
select results_eq($$ select r ->> 'type', r -> 'payload' -> 'template' ->> 'name' from tests.for_worker(format('select * from worker.claim_sends(%L, %L, 10)', tests.id('sender'), tests.id('acme.number'))) r $$,
    $$ values ('template', 'hello') $$, 'a template is handed out as Meta takes it');
select tests.record(:'one', 'accepted', '{"wa_message_id": "wamid.one"}');
select tests.template_event('acme.sale', '{"event": "PAUSED"}');
select is_empty($$ select tests.claim('sender') $$, 'one that was paused meanwhile is not');
select is((select row (m.status, m.error_code)::text from tests.message(:'two') m), '(failed,WA_002)', 'its message failed');
select is(tests.error_for('acme.agent', format('select retry_message(%L)', :'two')), 'WA_002', 'and is not tried again');
select tests.template_event('acme.sale', '{"event": "APPROVED"}', p_at => now() + interval '1 minute');
update public.templates set components = tests.body('Everything is dearer today.') where id = tests.id('acme.sale');
select is(tests.error_for('acme.agent', format('select retry_message(%L)', :'two')), null, 'before it is approved again');
select is((tests.message(:'two')).body, 'Everything is dearer today.', 'as it is now');
update public.contacts set opt_in_status = 'opted_out' where id = tests.id('acme.ravi');
select is_empty($$ select tests.claim('sender') $$, 'whoever opted out meanwhile');
select is((select row (m.status, m.error_code)::text from tests.message(:'two') m), '(failed,CONTACT_008)', 'gets no marketing');
select tests.send_template('acme.hello');
select (tests.last_message()).id as three \gset
select tests.template_event('acme.hello', '{"previous_category": "UTILITY", "new_category": "MARKETING"}', 'template_category_update');
select is_empty($$ select tests.claim('sender') $$, 'nor what Meta made marketing of on the way');
select is((select row (m.status, m.error_code)::text from tests.message(:'three') m), '(failed,CONTACT_008)', 'consent follows the category as it leaves');
update public.messages set campaign_id = tests.id('a campaign') where id = :'three';
select is(tests.error_for('acme.agent', format('select retry_message(%L)', :'three')), 'MESSAGE_004', 'a campaign''s message is its campaign''s to try again');
select is_empty('select tests.wrong_template_counts()', 'all of which is counted');
select is((select sum(sent) from private.template_deltas where template_id = tests.id('acme.hello')), 1::bigint, 'as one message that Meta took');

-- Tracked buttons.
select tests.make_template('acme.shop', p_components => tests.body('Your order is ready.')
    || '[{"type": "BUTTONS", "buttons": [{"type": "URL", "text": "Open", "url": "https://app.test/t/{{1}}", "example": ["https://app.test/t/x"]}]}]');
update public.templates set links = '{"0": "https://shop.example.com/a"}' where id = tests.id('acme.shop');
select is(tests.send_template('acme.shop', '{}'), null, 'a template with a tracked button');
select is((select row (l.destination, l.message_id, l.contact_id, l.campaign_id)::text from private.links l where l.token = (tests.last_message()).payload #>> '{template,components,0,parameters,0,text}'),
    row ('https://shop.example.com/a', (tests.last_message()).id, tests.id('acme.ravi'), null::uuid)::text, 'has a token of its own');

select * from finish();
rollback;
