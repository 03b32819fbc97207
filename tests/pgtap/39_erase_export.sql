-- A person's data: given to them, and erased for good.

begin;
\ir helpers/load.sql
select no_plan();
select tests.make_world(), tests.make_rows('acme'), tests.make_rows('globex');

update public.contacts set email = 'siti@example.test', notes = 'allergic', custom_fields = '{"tier": "Gold"}', bsuid = 'MY.87654321', username = 'siti_b', address = '{"city": "Ipoh"}',
    birthday = '1990-01-01', company = 'Kedai' where id = tests.id('acme.siti');
insert into public.segments (id, org_id, name, kind) values (tests.id('list'), tests.id('acme'), 'List', 'static');
insert into public.segment_pins (segment_id, contact_id, org_id, kind) values (tests.id('list'), tests.id('acme.siti'), tests.id('acme'), 'include');
insert into public.segment_members (segment_id, contact_id, org_id, entered_at) values (tests.id('list'), tests.id('acme.siti'), tests.id('acme'), now());
select tests.receive('wamid.secret', '{"body": "my secret"}');
select tests.apply(jsonb_build_array(tests.inbound('wamid.r', '{"type": "reaction", "reaction_to": "wamid.secret", "body": "x"}')));
update public.contact_consents set evidence = 'signed by Siti' where contact_id = tests.id('acme.siti');
insert into public.whatsapp_events (org_id, whatsapp_account_id, field, payload, body_hash) values
    (tests.id('acme'), tests.id('acme.number'), 'x', '{"from": "60123451001"}', '\x01'), (tests.id('acme'), tests.id('acme.number'), 'x', '{"user": "MY.87654321"}', '\x01');
insert into private.webhook_events (body, state)
select convert_to(replace(e.body, 'NUMBER', (select a.phone_number_id from public.whatsapp_accounts a where a.id = tests.id(e.org || '.number'))), 'UTF8'), e.state
from (values
    ('acme', '{"number":"NUMBER","from":"60123451001","text":"my secret"}', 'applied'), ('acme', '{"number":"NUMBER","user_id":"MY.87654321"}', 'applied'),
    ('acme', '{"number":"NUMBER","from":"60199999999"}', 'applied'), ('acme', '{"number":"NUMBER","from":"60123451001","text":"not yet"}', 'received'),
    ('globex', '{"number":"NUMBER","from":"60123451001"}', 'applied')
) e (org, body, state);
insert into private.parked_statuses (phone_number_id, wa_message_id, status)
select a.phone_number_id, 'wamid.parked', '{"recipient_id": "60123451001"}' from public.whatsapp_accounts a where a.id in (tests.id('acme.number'), tests.id('globex.number'));
-- A number that nobody has proven to be theirs.
select tests.make_account('acme', 'acme.claimed', a.phone_number_id, 'error') from public.whatsapp_accounts a where a.id = tests.id('globex.number');
select tests.make_contact('acme', 'acme.ravi2', '+60131112222');

-- Export.
create function tests.exported(p_user text) returns jsonb language plpgsql as $$
declare
    v_export jsonb;
begin
    perform tests.login_as(p_user);
    v_export := export_contact(tests.id('acme.siti'));
    perform tests.logout();
    return v_export;
end
$$;
create temporary table export as select tests.exported('acme.campaign_manager') as e;
select is(e #>> '{contact,email}', 'siti@example.test', 'an export has the contact') from export;
select is(e -> 'custom_fields', '[{"label": "Tier", "value": "Gold"}]', 'its own fields by name') from export;
select is(e #>> '{tags,0,name}', 'VIP', 'tags') from export;
select is(e #>> '{segments,0,name}', 'A list', 'segments') from export;
select is(jsonb_array_length(e -> 'consents'), 1, 'consents') from export;
select is(jsonb_array_length(e #> '{conversations,0,messages}'), 5, 'every message') from export;
select is((e #>> '{clicks,0,destination}') || ' ' || (e #>> '{opportunities,0,amount}'), 'https://shop.example.com/new?ref={token} 10', 'what they followed and bought') from export;
select is(jsonb_array_length(e -> 'activity') > 0, true, 'and the feed') from export;
select is((select count(*) from public.activity_log where kind = 'contact.exported' and actor_id = tests.id('acme.campaign_manager')), 1::bigint, 'who asked for it is on record');
select is(tests.error_for('acme.agent', $$ select export_contact(tests.id('acme.siti')) $$), 'AUTH_003', 'agents export nothing');
select is(tests.error_for('acme.viewer', $$ select export_contact(tests.id('acme.siti')) $$), 'AUTH_003', 'viewers neither');
select is(tests.error_for('globex.owner', $$ select export_contact(tests.id('acme.siti')) $$), 'CONTACT_001', 'strangers find nobody');
select is(tests.error_for('acme.campaign_manager', $$ select export_contact(tests.id('acme.trashed')) $$), 'AUTH_003', 'the trash is the admins''');
select is(tests.error_for('acme.admin', $$ select export_contact(tests.id('acme.trashed')) $$), null, 'who export from it');

-- Erasure.
select is(tests.error_for('acme.campaign_manager', $$ select erase_contact(tests.id('acme.siti'), 'ERASE') $$), 'AUTH_003', 'campaign managers cannot');
select is(tests.error_for('globex.owner', $$ select erase_contact(tests.id('acme.siti'), 'ERASE') $$), 'CONTACT_001', 'strangers cannot');
select is(tests.error_for('acme.admin', format('select erase_contact(tests.id(''acme.siti''), %L)', w)), 'CONTACT_011', 'not confirmed by ' || coalesce(w, 'null')) from (values (null), ('erase'), ('yes')) v (w);
create temporary table before_erasure as select
    (select count(*) from public.messages) as messages, (select count(*) from public.conversations) as conversations, (select count(*) from public.contacts) as contacts,
    (select count(*) from public.activity_log) as activity, (tests.contact('acme.siti')).messages_received as received;
select is(tests.error_for('acme.admin', $$ select erase_contact(tests.id('acme.siti'), 'ERASE') $$), null, 'confirmed');

select results_eq(
    $$ select to_jsonb(c) - '{id,org_id,source,messages_received,messages_sent,last_message_at,last_inbound_at,created_at,updated_at,deleted_at,erased_at,search_text}'::text[]
        from public.contacts c where id = tests.id('acme.siti') $$,
    $$ values ('{"phone": null, "wa_id": null, "bsuid": null, "username": null, "full_name": null, "email": null, "avatar_url": null, "company": null, "job_title": null, "address": null, "notes": null,
        "birthday": null, "not_on_whatsapp_at": null, "marketing_stopped_at": null, "custom_fields": {}, "opt_in_status": "pending", "opt_in_at": null, "opt_in_source": null, "lifecycle_stage": "lead"}'::jsonb) $$,
    'the contact has no identity and no field'
);
-- Nothing personal in any table.
create function tests.leaks(p_needle text) returns text[] language plpgsql as $$
declare
    v_table record;
    v_found boolean;
    v_leaks text[] := '{}';
begin
    for v_table in
        select c.oid::regclass::text as name from pg_catalog.pg_class c join pg_catalog.pg_namespace n on n.oid = c.relnamespace
        where n.nspname in ('public', 'private') and c.relkind = 'r' order by 1
    loop
        execute format('select exists (select from %s x where strpos(x::text, %L) > 0)', v_table.name, p_needle) into v_found;
        if v_found then
            v_leaks := v_leaks || v_table.name;
        end if;
    end loop;
    return v_leaks;
end
$$;
select is(tests.leaks(n), l::text[], 'where one still finds ' || n) from (values
    ('siti@example.test', '{private.erasures}'), ('60123451001', '{private.erasures,private.parked_statuses}'), ('MY.87654321', '{private.erasures}'), ('my secret', '{}'), ('siti_b', '{}'),
    ('Acme.Siti', '{}'), ('allergic', '{}'), ('signed by', '{}'), ('Ipoh', '{}'), ('wamid.secret', '{}')
) v (n, l);
select results_eq('select messages, conversations, activity + 1, received from before_erasure',
    $$ select (select count(*) from public.messages), (select count(*) from public.conversations), (select count(*) from public.activity_log), (tests.contact('acme.siti')).messages_received $$,
    'counts stay');
select is((select row (actor_id, contact_id, data)::text from public.activity_log where kind = 'contact.erased'), row (tests.id('acme.admin'), tests.id('acme.siti'), '{}'::jsonb)::text, 'who did it is on record');
select is((select count(*) from private.outbox where conversation_id = tests.id('acme.thread')), 0::bigint, 'nothing leaves to them any more');
select is((select row (status, error_code)::text from public.messages where id = tests.id('acme.waiting')), '(failed,CONTACT_010)', 'what waited has failed');
select is((select count(*) from public.contact_tags where contact_id = tests.id('acme.siti')) + (select count(*) from public.segment_pins where contact_id = tests.id('acme.siti')), 0::bigint, 'no tag or pin is left');
select is((select count(*) from public.contacts where full_name = 'Globex.Siti'), 1::bigint, 'others know their own Siti still');
select is((select array_agg(a.org_id) from private.parked_statuses s join public.whatsapp_accounts a on a.phone_number_id = s.phone_number_id and a.connected_at is not null
    where s.wa_message_id = 'wamid.parked'), array[tests.id('globex')], 'and what became of their messages to her');

-- What can still be done.
select is(tests.error_for('acme.admin', replace(s, 'X', quote_literal(tests.id('acme.siti')))), 'CONTACT_010', 'erased: ' || s) from (values
    ('select erase_contact(X, ''ERASE'')'), ('select restore_contact(X)'), ('select update_contact(X, ''{}'', now())'), ('select export_contact(X)'), ('select contact_timeline(X)'),
    ('select set_contact_tags(X, ''{}'')'), ('select set_contact_consent(X, ''opted_in'')')
) v (s);
select is(tests.error_for('acme.admin', $$ select change_contacts(tests.id('acme'), '{"trash": true}', '{"action": "restore"}') $$), null, 'restoring all of the trash');
select isnt((tests.contact('acme.siti')).deleted_at, null, 'does not bring them back');
select tests.receive('w.9', '{"body": "hello again"}');
select isnt((tests.wa_message('w.9')).contact_id, tests.id('acme.siti'), 'the same number is somebody new');
select is((tests.contact('acme.siti')).erased_at is not null and (select count(*) from public.contacts where wa_id = '60123451001' and org_id = tests.id('acme')) = 1, true, 'with a contact of their own');

-- Raw webhooks, piece by piece.
create temporary table job as select id, kind, status, input from public.jobs where kind = 'erasure';
select is((select row (kind, status, input)::text from job), row ('erasure', 'queued', jsonb_build_object('contact_id', tests.id('acme.siti')))::text, 'a job is queued, which names nobody');
select is(tests.worker_says(format('select worker.blank_webhooks(%L, 3)', (select id from job))), 'false', 'a piece');
select is(tests.worker_says(format('select worker.blank_webhooks(%L, 100)', (select id from job))), 'true', 'and the rest');
select is((select array_agg(state || ':' || coalesce(substring(convert_from(body, 'UTF8') from '"from":"[0-9]+"'), '') order by id) from private.webhook_events where body not in ('{}')),
    '{applied:,applied:,"applied:\"from\":\"60199999999\"","received:\"from\":\"60123451001\"","applied:\"from\":\"60123451001\""}',
    'what names them is blank, what is not applied yet stays, and what another organisation received');
select is((select row (status, result)::text from public.jobs where id = (select id from job)), row ('done', '{"webhooks": 2}'::jsonb)::text, 'the job is done');
select is((select count(*) from private.erasures where org_id = tests.id('acme') and needles <> '{}'), 0::bigint, 'and what it looked for is forgotten');
select is(tests.worker_says(format('select worker.blank_webhooks(%L, 100)', (select id from job))), null, 'once');

select * from finish();
rollback;
