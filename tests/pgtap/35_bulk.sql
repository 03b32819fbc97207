-- The same change of many contacts, creation with tags and consent, tags renamed, and what browsers are told.

begin;
\ir helpers/load.sql
select no_plan();
select tests.make_world();
select tests.make_contact('acme', 'acme.ravi', '+60131112222'), tests.make_contact('acme', 'acme.mei', '+60131112223'), tests.make_contact('acme', 'acme.gone', '+60131112224');
update public.contacts set deleted_at = now() where id = tests.id('acme.gone');
insert into public.tags (id, org_id, name) values (tests.id('vip'), tests.id('acme'), 'VIP'), (tests.id('cold'), tests.id('acme'), 'Cold'), (tests.id('theirs'), tests.id('globex'), 'Theirs');

create function tests.bulk(p_change jsonb, p_selection jsonb default '{}', p_user text default 'acme.campaign_manager') returns jsonb language plpgsql as $$
declare
    v_job jsonb;
begin
    perform tests.login_as(p_user);
    begin
        select to_jsonb(j) into v_job from change_contacts(tests.id('acme'), p_selection, p_change) j;
    exception when sqlstate 'PGRST' then
        v_job := tests.outcome(format('select change_contacts(tests.id(''acme''), %L, %L)', p_selection, p_change));
    end;
    perform tests.logout();
    return v_job;
end
$$;
create function tests.tags_on(p_contact text) returns text[] language sql security definer as $$
    select coalesce(array_agg(t.name order by t.name), '{}') from public.contact_tags c join public.tags t on t.id = c.tag_id where c.contact_id = tests.id(p_contact)
$$;
create function tests.tag_change(p_action text, variadic p_tags text[]) returns jsonb language sql as $$
    select jsonb_build_object('action', p_action, 'tag_ids', (select jsonb_agg(tests.id(t)) from unnest(p_tags) t))
$$;
create function tests.chosen(variadic p_names text[]) returns jsonb language sql as $$
    select jsonb_build_object('ids', (select jsonb_agg(tests.id(n)) from unnest(p_names) n))
$$;

-- Tags.
select is(tests.bulk(tests.tag_change('add_tags', 'vip', 'cold')) - '{id,created_at,created_by,started_at,finished_at,expires_at,org_id,problem,input}'::text[],
    '{"kind": "bulk_change", "status": "done", "result": {"changed": 3}, "done_count": 3, "total_count": 3}', 'everybody gets tags, at once');
select is(tests.tags_on('acme.mei'), '{Cold,VIP}', 'both');
select is(tests.tags_on('acme.gone'), '{}', 'but the trash does not');
select is(tests.bulk(tests.tag_change('add_tags', 'vip')) #> '{result,changed}', '0', 'again changes nobody');
select is((select count(*) from public.activity_log where kind = 'contact.tags_changed'), 3::bigint, 'each is told once');
select is(tests.bulk(tests.tag_change('remove_tags', 'vip'), tests.chosen('acme.mei', 'acme.ravi', 'globex.siti')) #> '{result,changed}', '2', 'ids of others are left out');
select is(tests.tags_on('acme.ravi'), '{Cold}', 'a tag goes');
select is((select count(*) from public.contact_tags where org_id = tests.id('globex')), 0::bigint, 'nobody else is touched');
select is(tests.bulk(tests.tag_change('add_tags', 'theirs')) ->> 'code', 'TAG_001', 'tags of others are not found');

-- Consent.
select is(tests.bulk('{"action": "set_consent", "status": "opted_in", "source": "form", "evidence": "Fair 2026"}', tests.chosen('acme.mei', 'acme.ravi')) #> '{result,changed}', '2', 'consent of many');
select results_eq(
    $$ select contact_id, old_status, new_status, source, evidence, actor_id from public.contact_consents order by contact_id $$,
    $$ select tests.id(n), 'pending', 'opted_in', 'form', 'Fair 2026', tests.id('acme.campaign_manager') from unnest(array['acme.mei', 'acme.ravi']) n order by 1 $$,
    'is on record for each'
);
select is((select row (opt_in_status, opt_in_source, opt_in_at)::text from public.contacts where id = tests.id('acme.mei')), row ('opted_in', 'form', now())::text, 'and stands on the contact');
select is(tests.bulk('{"action": "set_consent", "status": "opted_in"}', tests.chosen('acme.mei')) #> '{result,changed}', '0', 'no change is no record');

-- Stage, trash.
select is(tests.bulk('{"action": "set_lifecycle_stage", "stage": "customer"}') #> '{result,changed}', '3', 'a stage');
select is(tests.bulk('{"action": "delete"}', tests.chosen('acme.mei', 'acme.ravi')) #> '{result,changed}', '2', 'into the trash');
select is(tests.bulk('{"action": "restore"}', '{"trash": true}') ->> 'code', 'AUTH_003', 'which only admins open');
select is(tests.bulk('{"action": "delete"}', '{"trash": true}') ->> 'code', 'AUTH_003', 'not even to count who is in it');
select is(tests.bulk('{"action": "restore"}', tests.chosen('acme.mei')) ->> 'code', 'AUTH_003', 'by ids neither');
select is(tests.bulk('{"action": "restore"}', '{"trash": true}', 'acme.admin') #> '{result,changed}', '3', 'out of it again');
select is((select count(*) from public.contacts where org_id = tests.id('acme') and deleted_at is null), 4::bigint, 'all of them');

-- Refused.
select is(tests.bulk(change::jsonb) ->> 'code', 'CONTACT_007', 'refused: ' || coalesce(change, 'null')) from (values
    (null), ('[]'), ('{}'), ('{"action": "explode"}'), ('{"action": "delete", "really": true}'), ('{"action": "add_tags"}'), ('{"action": "add_tags", "tag_ids": []}'),
    ('{"action": "add_tags", "tag_ids": ["x"]}'), ('{"action": "set_consent"}'), ('{"action": "set_consent", "status": "opted_in", "source": "rumour"}'), ('{"action": "set_lifecycle_stage", "stage": "friend"}')
) v (change);
select is(tests.bulk('{"action": "delete"}', '{"who": 1}') ->> 'code', 'CONTACT_012', 'a selection that is none');
select is(tests.bulk('{"action": "delete"}', '{}', 'acme.agent') ->> 'code', 'AUTH_003', 'agents change one at a time');
select is(tests.bulk('{"action": "delete"}', '{}', 'acme.viewer') ->> 'code', 'AUTH_003', 'viewers none');
select is(tests.bulk('{"action": "delete"}', '{}', 'globex.owner') ->> 'code', 'ORG_001', 'strangers find nothing');

-- One event a call.
delete from realtime.messages;
select tests.bulk(tests.tag_change('add_tags', 'vip'));
select results_eq(
    $$ select h #> '{contact_ids}' @> jsonb_build_array(tests.id('acme.mei')) from tests.heard('org:' || tests.id('acme')) h where h ->> 'event' = 'contacts' $$,
    'values (true)', 'browsers are told once'
);
delete from realtime.messages;
select tests.error_for('acme.agent', format('select set_contact_tags(%L, %L)', tests.id('acme.mei'), array[tests.id('cold')]));
select tests.error_for('acme.agent', format('select set_contact_tags(%L, %L)', tests.id('acme.mei'), array[tests.id('cold')]));
select is((select count(*) from tests.heard('org:' || tests.id('acme')) h where h ->> 'event' = 'contacts'), 1::bigint, 'also of tags, when they changed');

-- More than 500 go to a worker.
insert into public.contacts (org_id, phone, full_name) select tests.id('acme'), '+6011' || (10000000 + i), 'Crowd' from generate_series(1, 501) i;
select is(tests.bulk(tests.tag_change('add_tags', 'cold'), '{"search": "crowd"}') - '{id,created_at,created_by,expires_at,org_id,input}'::text[],
    '{"kind": "bulk_change", "status": "queued", "result": null, "problem": null, "done_count": 0, "total_count": 501, "started_at": null, "finished_at": null}', 'many are queued');
select is((select row (count(*), min(position), max(position))::text from private.job_items), '(501,1,501)', 'as they were chosen');
insert into public.contacts (org_id, phone, full_name) values (tests.id('acme'), '+60119999999', 'Crowd');
select is(private.apply_contact_change(tests.id('acme'), array(select contact_id from private.job_items), tests.tag_change('add_tags', 'cold'), tests.id('acme.owner')), 501,
    'the worker changes those');
select is((select h - 'event' from tests.heard('org:' || tests.id('acme')) h where h ->> 'event' = 'contacts' and h ? 'all'), '{"all": true}', 'and tells browsers to look again');

-- Creation with everything, tags renamed.
select is(tests.error_for('acme.agent', format('select create_contact(%L, %L)', tests.id('acme'), jsonb_build_object('phone', '0123334444', 'full_name', 'New',
    'tag_ids', jsonb_build_array(tests.id('vip')), 'opt_in_status', 'opted_in', 'opt_in_source', 'form'))), null, 'a contact with tags and consent is made');
select is((select row (c.opt_in_status, c.opt_in_source, c.opt_in_at, (select count(*) from public.contact_tags t where t.contact_id = c.id))::text from public.contacts c where phone = '+60123334444'),
    row ('opted_in', 'form', now(), 1)::text, 'it has them');
select is((select row (x.old_status, x.new_status, x.source)::text from public.contact_consents x join public.contacts c on c.id = x.contact_id where c.phone = '+60123334444'), '(,opted_in,form)', 'consent is on record from the beginning');
select is(tests.error_for('acme.agent', format('select create_contact(%L, %L)', tests.id('acme'), f)), code, 'refused: ' || f) from (values
    ('{"phone": "0123334445", "tag_ids": ["x"]}', 'CONTACT_007'), ('{"phone": "0123334445", "tag_ids": "x"}', 'CONTACT_007'),
    (jsonb_build_object('phone', '0123334445', 'tag_ids', jsonb_build_array(tests.id('theirs')))::text, 'TAG_001'), ('{"phone": "0123334445", "opt_in_status": "opted_in", "opt_in_source": "x"}', 'CONTACT_007')
) v (f, code);
select is((select count(*) from public.contacts where phone = '+60123334445'), 0::bigint, 'and nothing is kept of it');
select is(tests.error_for('acme.campaign_manager', $$ select update_tag(tests.id('vip'), ' Very important ', '#00ff00') $$), null, 'a tag is renamed');
select is((select row (name, color)::text from public.tags where id = tests.id('vip')), '("Very important",#00ff00)', 'and has another colour');
select is(tests.error_for('acme.admin', $$ select update_tag(tests.id('vip'), 'cold') $$), 'TAG_003', 'not to a name that is taken');
select is(tests.error_for('acme.admin', $$ select update_tag(tests.id('vip'), ' ') $$), 'TAG_004', 'nor to none');
select is(tests.error_for('acme.agent', $$ select update_tag(tests.id('vip'), 'X') $$), 'AUTH_003', 'agents use tags');
select is(tests.error_for('globex.owner', $$ select update_tag(tests.id('vip'), 'X') $$), 'TAG_001', 'strangers find none');
select tests.error_for('acme.owner', $$ select delete_contact(tests.id('acme.mei')) $$);
select tests.login_as('acme.viewer');
select is((select contacts from public.tag_usage where tag_id = tests.id('vip')), 4::bigint, 'tags say how many living contacts carry them');
select is((select count(*) from public.tag_usage where org_id = tests.id('globex')), 0::bigint, 'of the organisation');
select tests.logout();

select * from finish();
rollback;
