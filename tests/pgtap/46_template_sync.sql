-- What Meta says of templates: its list, and its webhooks, in whatever order and however often they come.

begin;
\ir helpers/load.sql
select no_plan();
select tests.make_world();

-- When lists are asked for.
create function tests.due() returns text[] language sql volatile as $$
    select coalesce(array_agg(r ->> 'waba_id' order by r ->> 'waba_id'), '{}') from tests.for_worker('select * from worker.wabas_to_sync(10)') r
$$;
create function tests.list_of_acme() returns void language plpgsql as $$
declare
    v_asked timestamptz := private.clock();
begin
    perform tests.login_worker();
    perform worker.apply_template_list(tests.id(o), w, '[]', true, v_asked) from (values ('acme', '91001'), ('globex', '91002')) v (o, w);
    perform tests.logout();
end
$$;
select is(tests.due(), array['91001', '91002'], 'once a number is connected');
select is(tests.due(), '{}', 'by one worker');
select tests.set_clock(now() + interval '10 minutes');
select is(tests.due(), array['91001', '91002'], 'again when it was not finished');
select tests.list_of_acme();
select tests.set_clock(now() + interval '69 minutes');
select is(tests.due(), '{}', 'not within an hour');
select tests.set_clock(now() + interval '70 minutes');
select is(tests.due(), array['91001', '91002'], 'but hourly');
select tests.list_of_acme();
select tests.set_clock(now() + interval '71 minutes');
select is(tests.error_for(u, $$ select sync_templates(tests.id('acme')) $$), c, u) from (values
    ('acme.agent', 'AUTH_003'), ('globex.owner', 'ORG_001'), ('acme.campaign_manager', null)) v (u, c);
select is(tests.due(), array['91001'], 'and when somebody asks');
select tests.list_of_acme();
select tests.make_template('acme.hanging', 'pending');
select tests.set_clock(now() + interval '80 minutes');
select is(tests.due(), '{}', 'a review takes its time');
select tests.set_clock(now() + interval '81 minutes');
select is(tests.due(), array['91001'], 'while one is open, every ten minutes');
update public.whatsapp_accounts set status = 'error' where id = tests.id('acme.number');
select tests.set_clock(now() + interval '3 hours');
select is(tests.due(), array['91002'], 'with a number that is not connected nothing can be asked');
select is(tests.error_for('acme.owner', $$ select sync_templates(tests.id('acme')) $$), 'WA_006', 'which is said');
update public.whatsapp_accounts set status = 'connected' where id = tests.id('acme.number');
select tests.set_clock(now());
delete from public.templates where org_id = tests.id('acme');
delete from private.template_syncs;

-- Made elsewhere.
select tests.apply_list(jsonb_build_array(tests.listed('hello'), tests.listed('soon', 'PENDING'), tests.listed('no', 'REJECTED', '{"rejected_reason": "SCAM"}'),
    tests.listed('strange', 'BRAND_NEW'), tests.listed('tired', 'PAUSED', '{"quality_score": {"score": "RED"}, "category": "MARKETING"}'),
    tests.listed('gone', 'PENDING_DELETION'), '{"id": "1"}', '{"id": "2", "name": "Not one", "language": "en"}', 'null'));
select results_eq($$ select name, status, meta_status, quality, category, wa_template_id, rejected_reason from public.templates where org_id = tests.id('acme') order by name $$,
    $$ values ('hello', 'approved', 'APPROVED', 'GREEN', 'utility', 'meta-hello', null::text), ('no', 'rejected', 'REJECTED', 'GREEN', 'utility', 'meta-no', 'SCAM'),
        ('soon', 'pending', 'PENDING', 'GREEN', 'utility', 'meta-soon', null), ('strange', 'disabled', 'BRAND_NEW', 'GREEN', 'utility', 'meta-strange', null),
        ('tired', 'disabled', 'PAUSED', 'RED', 'marketing', 'meta-tired', null) $$, 'is taken over as it is');
select is((tests.template('acme.hello')).components, tests.body('Your order {{1}} is ready.', array['A-17']), 'with its content');
select is(tests.told(), '{}', 'and is no news');
select is((select count(*) from public.templates where org_id = tests.id('globex')), 0::bigint, 'for its own organisation only');

-- Nothing new.
create temporary table before on commit drop as select id, updated_at from public.templates;
select tests.apply_list(jsonb_build_array(tests.listed('hello'), tests.listed('soon', 'PENDING'), tests.listed('no', 'REJECTED', '{"rejected_reason": "SCAM"}'),
    tests.listed('strange', 'BRAND_NEW'), tests.listed('tired', 'PAUSED', '{"quality_score": {"score": "RED"}, "category": "MARKETING"}')));
select is_empty($$ select name from public.templates t join before b using (id) where t.updated_at <> b.updated_at $$, 'the same list again changes nothing');

select tests.apply_list(jsonb_build_array(tests.listed('hello', 'APPROVED', '{"components": []}')), false);
select is((tests.template('acme.hello')).components, tests.body('Your order {{1}} is ready.', array['A-17']), 'nor one that leaves the content out');

-- Changed elsewhere: every state, and what people are told of it.
select tests.apply_list(jsonb_build_array(tests.listed('hello', 'PAUSED'), tests.listed('soon'), tests.listed('no', 'APPROVED'),
    tests.listed('tired', 'DISABLED', '{"category": "UTILITY"}'), tests.listed('strange', 'APPROVED', jsonb_build_object('components', tests.body('Other words.')))));
select results_eq($$ select name, status, meta_status, category, components #>> '{0,text}' from public.templates where org_id = tests.id('acme') order by name $$,
    $$ values ('hello', 'disabled', 'PAUSED', 'utility', 'Your order {{1}} is ready.'), ('no', 'approved', 'APPROVED', 'utility', 'Your order {{1}} is ready.'),
        ('soon', 'approved', 'APPROVED', 'utility', 'Your order {{1}} is ready.'), ('strange', 'approved', 'APPROVED', 'utility', 'Other words.'),
        ('tired', 'disabled', 'DISABLED', 'utility', 'Your order {{1}} is ready.') $$, 'what webhooks missed');
select set_eq('select unnest(tests.told())', array['template.paused: {"name": "hello", "meta_status": "PAUSED"}', 'template.approved: {"name": "no"}',
    'template.approved: {"name": "soon"}', 'template.approved: {"name": "strange"}', 'template.disabled: {"name": "tired", "meta_status": "DISABLED"}',
    'template.category_changed: {"to": "utility", "from": "marketing", "name": "tired"}'], 'is told');

-- What is gone.
select tests.make_template('acme.draft', 'draft'), tests.make_template('acme.new', 'draft');
select tests.on_template('submit_template', 'acme.new');
select tests.apply_list(jsonb_build_array(tests.listed('hello')), false);
select is((select count(*) from public.templates where org_id = tests.id('acme') and deleted_at is null), 7::bigint, 'a page is not the whole list');
select tests.apply_list(jsonb_build_array(tests.listed('hello'), tests.listed('tired', 'DISABLED')));
select results_eq($$ select name from public.templates where org_id = tests.id('acme') and deleted_at is null order by name $$,
    array['draft', 'hello', 'new', 'tired'], 'the whole list says what is gone, but not of drafts and of what is on its way');
select tests.apply_list(jsonb_build_array(tests.listed('hello'), tests.listed('tired', 'DISABLED'), tests.listed('soon')));
select is((select count(*) from public.templates where org_id = tests.id('acme') and name = 'soon'), 1::bigint, 'what comes back');
select is(tests.template_state('acme.soon'), 'approved (APPROVED)', 'is the same template');
update public.templates set synced_at = private.clock() + interval '1 second' where org_id = tests.id('acme') and name = 'soon';
select tests.apply_list(jsonb_build_array(tests.listed('hello'), tests.listed('tired', 'DISABLED')));
select is(tests.template_state('acme.soon'), 'approved (APPROVED)', 'what Meta took while the list was on its way is not gone');
-- Lists that take so long that another worker asks again.
create function tests.late_list(p_templates jsonb, p_age interval) returns void language plpgsql as $$
declare
    v_asked timestamptz := private.clock() - p_age;
begin
    perform tests.login_worker();
    perform worker.apply_template_list(tests.id('acme'), '91001', p_templates, true, v_asked);
    perform tests.logout();
end
$$;
update private.template_syncs set claimed_at = private.clock() + interval '1 minute', synced_at = null where org_id = tests.id('acme');
select tests.late_list(jsonb_build_array(tests.listed('hello'), tests.listed('tired', 'DISABLED')), '0 s');
select is(tests.template_state('acme.soon'), 'approved (APPROVED)', 'nor when another list was asked for since');
select is((select s.synced_at from private.template_syncs s where s.org_id = tests.id('acme')), null, 'which is still to come');
update private.template_syncs set claimed_at = private.clock() where org_id = tests.id('acme');
select tests.late_list(jsonb_build_array(tests.listed('hello', 'PAUSED')), '1 s');
select is(tests.template_state('acme.hello'), 'approved (APPROVED)', 'one asked for before the last that came says nothing');
select tests.late_list(jsonb_build_array(tests.listed('hello', 'PAUSED'), tests.listed('tired', 'DISABLED'), tests.listed('soon')), '-1 s');
select is(tests.template_state('acme.hello'), 'disabled (PAUSED)', 'a newer one does');
select tests.late_list(jsonb_build_array(tests.listed('hello'), tests.listed('tired', 'DISABLED'), tests.listed('soon')), '-2 s');
update private.template_syncs set listed_as_of = null where org_id = tests.id('acme');
update public.templates set synced_at = private.clock() + interval '1 second' where org_id = tests.id('acme') and name = 'soon';
update public.templates set synced_at = private.clock() - interval '1 second' where org_id = tests.id('acme') and name = 'soon';

-- Deleted here, still shown by Meta.
select tests.on_template('delete_template', 'acme.tired');
select tests.on_template('delete_template', 'acme.soon');
select tests.apply_list(jsonb_build_array(tests.listed('hello'), tests.listed('tired', 'DISABLED'), tests.listed('soon')));
select is(tests.template_state('acme.soon'), 'disabled (PENDING_DELETION)', 'on its way');
select tests.answer_template(tests.claim_template('acme.soon'), 'done');
select tests.apply_list(jsonb_build_array(tests.listed('hello'), tests.listed('tired', 'DISABLED'), tests.listed('soon', 'PENDING_DELETION')));
select ok((t).deleted_at is not null, (t).name || ' does not come back') from unnest(array['acme.soon', 'acme.tired']) n, tests.template(n) t;

-- A draft whose name Meta has.
select tests.apply_list(jsonb_build_array(tests.listed('hello'), tests.listed('draft')));
select results_eq($$ select status, problem, wa_template_id, components #>> '{0,text}' from tests.template('acme.draft') $$,
    $$ values ('draft', 'TEMPLATE_005', null::text, 'Your order {{1}} is ready.') $$, 'is kept and told apart');
select tests.change_template('acme.draft', '{"name": "draft_2"}');
select tests.apply_list(jsonb_build_array(tests.listed('hello'), tests.listed('draft')));
select is(tests.template_state(n), s, n) from (values ('acme.draft', 'approved (APPROVED)'), ('acme.draft_2', 'draft')) v (n, s);

-- Our files and tracked buttons stay with the parts they belong to.
update public.templates set links = '{"0": "https://shop.example.com", "1": "https://shop.example.com/b"}', components = jsonb_build_array(
    jsonb_build_object('type', 'HEADER', 'format', 'IMAGE', 'media', '{"path": "p", "mime": "image/png"}'::jsonb), tests.body('Old words.') -> 0)
where id = (tests.template('acme.hello')).id;
select tests.apply_list(jsonb_build_array(tests.listed('hello', 'APPROVED', jsonb_build_object('components', jsonb_build_array(
    '{"type": "HEADER", "format": "IMAGE", "example": {"header_handle": ["https://scontent.whatsapp.net/x"]}}'::jsonb, tests.body('New words.') -> 0,
    '{"type": "BUTTONS", "buttons": [{"type": "URL", "text": "Shop", "url": "https://app.test/t/{{1}}"}, {"type": "URL", "text": "B", "url": "https://shop.example.com"}]}'::jsonb)))), false);
select results_eq($$ select components #> '{0,media}', components #>> '{1,text}', links from tests.template('acme.hello') $$,
    $$ values ('{"path": "p", "mime": "image/png"}'::jsonb, 'New words.', '{"0": "https://shop.example.com"}'::jsonb) $$, 'in the list''s content');
select tests.apply_list(jsonb_build_array(tests.listed('hello', 'APPROVED', jsonb_build_object('components', jsonb_build_array(
    '{"type": "HEADER", "format": "VIDEO"}'::jsonb, tests.body('New words.') -> 0)))), false);
select results_eq($$ select components #> '{0,media}', links from tests.template('acme.hello') $$, $$ values (null::jsonb, '{}'::jsonb) $$, 'no longer than that');

-- Webhooks. Each state of Meta.
create function tests.after_event(p_value jsonb, p_seconds integer default 0) returns text language plpgsql as $$
begin
    perform tests.template_event('acme.hello', p_value, p_at => now() + make_interval(secs => p_seconds));
    return tests.template_state('acme.hello');
end
$$;
delete from public.notifications;
select is(tests.after_event(jsonb_build_object('event', e)), s || ' (' || e || ')', e) from (values
    ('PENDING', 'pending'), ('APPROVED', 'approved'), ('FLAGGED', 'approved'), ('PAUSED', 'disabled'), ('REINSTATED', 'approved'), ('LIMIT_EXCEEDED', 'disabled'),
    ('UNARCHIVED', 'approved'), ('ARCHIVED', 'disabled'), ('IN_APPEAL', 'pending'), ('LOCKED', 'disabled'), ('REJECTED', 'rejected'), ('DISABLED', 'disabled')) v (e, s);
select is(tests.told(), array['template.approved: {"name": "hello"}', 'template.paused: {"name": "hello", "meta_status": "PAUSED"}',
    'template.approved: {"name": "hello"}', 'template.disabled: {"name": "hello", "meta_status": "LIMIT_EXCEEDED"}', 'template.approved: {"name": "hello"}',
    'template.disabled: {"name": "hello", "meta_status": "ARCHIVED"}', 'template.disabled: {"name": "hello", "meta_status": "LOCKED"}',
    'template.rejected: {"name": "hello", "reason": "NONE"}', 'template.disabled: {"name": "hello", "meta_status": "DISABLED"}'], 'each is told');
select is(tests.after_event('{"event": "APPROVED"}', 10), 'approved (APPROVED)', 'approved at last');
select is(tests.after_event('{"event": "PAUSED", "other_info": {"title": "FIRST_PAUSE", "description": "Paused for three hours."}}', 5), 'approved (APPROVED)', 'what is older says nothing');
select is(tests.after_event('{"event": "FLAGGED", "other_info": {"title": "FLAGGED", "description": "It will be disabled."}}', 20), 'approved (FLAGGED)', 'flagged');
select is((tests.template('acme.hello')).status_reason, 'It will be disabled.', 'shows why');
delete from public.notifications;
select is(tests.after_event('{"event": "PAUSED", "other_info": {"title": "FIRST_PAUSE", "description": "Paused for three hours."}}', 30), 'disabled (PAUSED)', 'paused');
select is(tests.after_event('{"event": "PAUSED", "other_info": {"title": "FIRST_PAUSE", "description": "Paused for three hours."}}', 30), 'disabled (PAUSED)', 'twice');
select is(tests.told(), array['template.paused: {"name": "hello", "reason": "Paused for three hours.", "meta_status": "PAUSED"}'], 'is told once');
select tests.apply_list(jsonb_build_array(tests.listed('hello')), false);
select is(tests.template_state('acme.hello'), 'disabled (PAUSED)', 'a list that was asked for before does not know better');
select tests.set_clock(now() + interval '1 hour');
select tests.apply_list(jsonb_build_array(tests.listed('hello')), false);
select is(tests.template_state('acme.hello'), 'approved (APPROVED)', 'a later one does');
select tests.set_clock(now());
delete from private.template_syncs;
select is(tests.after_event('{"event": "SOMETHING_NEW"}', 40), 'approved (SOMETHING_NEW)', 'a word nobody knew');
select ok((select requested_at is not null from private.template_syncs where org_id = tests.id('acme')), 'asks for the list');

-- Quality.
select tests.template_event('acme.hello', '{"previous_quality_score": "GREEN", "new_quality_score": "YELLOW"}', 'message_template_quality_update');
select is((tests.template('acme.hello')).quality, 'YELLOW', 'a change of quality');
select tests.template_event('acme.hello', '{"previous_quality_score": "YELLOW", "new_quality_score": "RED"}');
select is((tests.template('acme.hello')).quality, 'RED', 'under the name Meta''s own example gives it');
select tests.template_event('acme.hello', '{"new_quality_score": "PURPLE"}', 'message_template_quality_update');
select is((tests.template('acme.hello')).quality, 'RED', 'of four kinds');

-- Category.
delete from public.notifications;
select tests.template_event('acme.hello', jsonb_build_object('new_category', 'UTILITY', 'correct_category', 'MARKETING', 'category_update_timestamp', 1790000000), 'template_category_update');
select results_eq($$ select category, correct_category, category_changes_at from tests.template('acme.hello') $$,
    $$ values ('utility', 'marketing', to_timestamp(1790000000)) $$, 'announced, it has not changed yet');
select tests.apply_list(jsonb_build_array(tests.listed('hello', 'APPROVED', '{"correct_category": "MARKETING"}')), false);
select is((tests.template('acme.hello')).category_changes_at, to_timestamp(1790000000), 'the list leaves the day alone');
select tests.template_event('acme.hello', '{"previous_category": "UTILITY", "new_category": "MARKETING"}', 'template_category_update');
select results_eq($$ select category, previous_category, correct_category, category_changes_at from tests.template('acme.hello') $$,
    $$ values ('marketing', 'utility', null::text, null::timestamptz) $$, 'done');
select tests.template_event('acme.hello', '{"previous_category": "UTILITY", "new_category": "MARKETING"}', 'template_category_update');
select is(array(select regexp_replace(t, '"at": "[^"]*"', '"at"') from unnest(tests.told()) t), array['template.category_warned: {"at", "to": "marketing", "from": "utility", "name": "hello"}',
    'template.category_changed: {"to": "marketing", "from": "utility", "name": "hello"}'], 'both are told, once');
select tests.template_event('acme.hello', '{"category": "MARKETING", "correct_category": "UTILITY"}', 'template_correct_category_detection');
select results_eq($$ select category, correct_category, category_changes_at from tests.template('acme.hello') $$, $$ values ('marketing', 'utility', null::timestamptz) $$, 'a hint');

-- Components, and templates nobody knows.
delete from private.template_syncs;
select tests.template_event('acme.hello', '{"message_template_element": "New"}', 'message_template_components_update');
select ok((select requested_at is not null from private.template_syncs where org_id = tests.id('acme')), 'components are fetched');
delete from private.template_syncs;
select tests.template_event('acme.unheard_of', '{"event": "APPROVED"}');
select ok((select requested_at is not null from private.template_syncs where org_id = tests.id('acme')), 'so is what we do not know');
select is((select count(*) from private.template_syncs where org_id = tests.id('globex')), 0::bigint, 'for whoever it is');
select tests.template_event('acme.hello', '{"event": "REJECTED"}', p_more => '{"waba_id": "404"}', p_at => now() + interval '1 hour');
select is(tests.template_state('acme.hello'), 'approved (SOMETHING_NEW)', 'an account nobody has is nobody''s news');

-- Deleted at Meta.
select is(tests.after_event('{"event": "DELETED"}', 4000), 'disabled (DELETED)', 'deleted');
select ok((tests.template('acme.hello')).deleted_at is not null, 'there');

-- Somebody else's account.
select tests.login_worker();
select worker.apply_template_list(tests.id('globex'), '91001', jsonb_build_array(tests.listed('stolen')), true, now());
select tests.logout();
select is((select count(*) from public.templates where org_id = tests.id('globex')), 0::bigint, 'a list of an account that is not the organisation''s is not applied');

-- Deleted here and made again under its name, while Meta still shows the first.
select tests.make_template('acme.again');
update public.templates set deleted_at = private.clock(), wa_template_id = 'meta-first' where id = tests.id('acme.again');
insert into public.templates (org_id, waba_id, name, language, category, components, status, meta_status, submitted_at)
select t.org_id, t.waba_id, t.name, t.language, t.category, t.components, 'pending', 'PENDING', private.clock() from public.templates t where t.id = tests.id('acme.again');
select tests.apply_list(jsonb_build_array(tests.listed('again', 'PENDING_DELETION', '{"id": "meta-first"}')), false);
select is((select t.wa_template_id from public.templates t where t.name = 'again' and t.deleted_at is null and t.org_id = tests.id('acme')), null,
    'the new one is not taken for the old');

select * from finish();
rollback;
