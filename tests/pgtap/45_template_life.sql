-- The life of a template: submission, Meta's answers, edits within its limits, deletion, and every move that is refused.

begin;
\ir helpers/load.sql
select no_plan();
select tests.make_world();

-- From draft to approved.
select tests.make_template('acme.ready', 'draft');
select is(tests.on_template('submit_template', 'acme.ready', u), c, u) from (values
    ('acme.agent', 'AUTH_003'), ('acme.viewer', 'AUTH_003'), ('globex.owner', 'TEMPLATE_001'), ('stranger', 'TEMPLATE_001')) v (u, c);
select is(tests.error_for('acme.campaign_manager', format('select submit_template(%L, %L)', tests.id('acme.ready'), (tests.template('acme.ready')).updated_at - interval '1 microsecond')), 'TEMPLATE_010', 'not another version than the one that was reviewed');
select is(tests.template_state('acme.ready'), 'draft', 'and nothing happened');
select is(tests.error_for('acme.campaign_manager', format('select submit_template(%L, %L)', tests.id('acme.ready'), (tests.template('acme.ready')).updated_at)), null, 'a manager of campaigns submits');
select is(tests.template_state('acme.ready'), 'pending', 'it waits');
select is((tests.template('acme.ready')).submitted_at, private.clock(), 'since now');
select is(tests.activities('acme'), array['template.submitted'], 'the feed says so');
select is(tests.on_template('submit_template', 'acme.ready'), 'TEMPLATE_003', 'what waits is not submitted again');
select is(tests.change_template('acme.ready', '{"category": "marketing"}'), 'TEMPLATE_003', 'nor changed');
select is(tests.on_template('delete_template', 'acme.ready'), 'TEMPLATE_003', 'nor deleted');
select tests.claim_template('acme.ready') as work \gset
select is(:'work'::jsonb - '{template_id,access_token}'::text[], jsonb_build_object('action', 'submit', 'waba_id', '91001', 'wa_template_id', null, 'attempt', 1,
    'payload', jsonb_build_object('name', 'ready', 'language', 'en_US', 'category', 'UTILITY', 'parameter_format', 'positional',
        'components', tests.body('Your order {{1}} is ready.', array['A-17']))), 'a worker is given what Meta takes');
select is(:'work'::jsonb ->> 'access_token', 'secret-of-acme.number', 'with the number''s token');
select is(tests.claim_template('acme.ready'), null, 'once');
select tests.answer_template(:'work', 'done', '{"wa_template_id": "77", "status": "PENDING", "category": "UTILITY"}');
select is(tests.template_state('acme.ready'), 'pending (PENDING)', 'Meta reviews it');
select is((tests.template('acme.ready')).wa_template_id, '77', 'under its id');
select is((select count(*) from private.template_work), 0::bigint, 'nothing is left to do');
select tests.template_event('acme.ready', '{"event": "APPROVED", "reason": "NONE"}');
select is(tests.template_state('acme.ready'), 'approved (APPROVED)', 'approved');
select is((tests.template('acme.ready')).reviewed_at, private.clock(), 'now');
select is(tests.told(), array['template.approved: {"name": "ready"}'], 'its makers hear of it');
select is(tests.activities('acme'), array['template.submitted', 'template.approved'], 'and the feed');
select is(tests.on_template('submit_template', 'acme.ready'), 'TEMPLATE_006', 'there is nothing more to submit');

-- Edits of what is approved: one in 24 hours, ten in 30 days.
create function tests.edit(p_text text, p_name text default 'acme.ready') returns text language sql as $$
    select tests.change_template(p_name, jsonb_build_object('components', tests.body(p_text)))
$$;
create function tests.accept_edit(p_name text default 'acme.ready') returns void language plpgsql as $$
begin
    perform tests.answer_template(tests.claim_template(p_name), 'done');
    perform tests.template_event(p_name, '{"event": "APPROVED"}');
end
$$;
select is(tests.change_template('acme.ready', f), 'TEMPLATE_004', f::text) from unnest(array['{"name": "other"}', '{"language": "ms"}', '{"parameter_format": "named"}', '{"category": "marketing"}']::jsonb[]) f;
select is(tests.edit('{{1}} at the start'), 'TEMPLATE_004', 'what Meta refuses is not sent');
select is(tests.template_state('acme.ready'), 'approved (APPROVED)', 'and nothing happened');
select is(tests.edit('Your order {{1}} is ready.'), 'TEMPLATE_004', 'without a sample neither');
select is(tests.change_template('acme.ready', '{}'), null, 'no change');
select is(tests.template_state('acme.ready'), 'approved (APPROVED)', 'is no edit');
select is(tests.edit('Your order is waiting.'), null, 'an edit');
select is(tests.template_state('acme.ready'), 'pending (APPROVED)', 'goes to Meta: until it is approved nobody uses it');
select tests.claim_template('acme.ready') as work \gset
select is(:'work'::jsonb #- '{payload,components}' ->> 'action', 'edit', 'as an edit');
select is(:'work'::jsonb ->> 'wa_template_id', '77', 'of that template');
select is(:'work'::jsonb -> 'payload', jsonb_build_object('category', null, 'components', tests.body('Your order is waiting.')), 'all its components, its category kept');
select tests.template_event('acme.ready', '{"event": "APPROVED"}');
select is(tests.template_state('acme.ready'), 'pending (APPROVED)', 'a word of before the edit was taken says nothing of it');
select tests.for_worker('select worker.wabas_to_sync(10)');
select tests.set_clock(now() + interval '1 second');
select tests.answer_template(:'work', 'done');
select is(tests.worker_says($$ select count(*) from worker.wabas_to_sync(10) where org_id = tests.id('acme') $$), '1', 'Meta''s list is asked how it went');
select tests.set_clock(now());
select tests.template_event('acme.ready', '{"event": "APPROVED"}');
select is(tests.template_state('acme.ready'), 'approved (APPROVED)', 'approved again');
select is(tests.edit('Your parcel is waiting.'), 'TEMPLATE_007', 'a second one the same day');
select tests.login_as('acme.owner');
select is((tests.details_of(format('select update_template(%L, ''{"components": []}'', %L)', (t).id, (t).updated_at)) -> 'problems') is null, false, 'errors come first')
from tests.template('acme.ready') t;
select is((tests.details_of(format('select update_template(%L, %L, %L)', (t).id, jsonb_build_object('components', tests.body('Another day.')), (t).updated_at)) ->> 'retry_at')::timestamptz,
    now() + interval '24 hours', 'when the next is possible is said') from tests.template('acme.ready') t;
select tests.logout();
select tests.set_clock(now() + interval '23 hours 59 minutes');
select is(tests.edit('Your parcel is waiting.'), 'TEMPLATE_007', 'not before 24 hours');
do $$
begin
    for i in 2..10 loop
        perform tests.set_clock(now() + (i - 1) * interval '24 hours');
        if tests.edit('Your parcel number ' || i || ' waits.') is not null then
            raise exception 'edit % is refused', i;
        end if;
        perform tests.accept_edit();
    end loop;
end
$$;
select is((select count(*) from private.template_edits), 10::bigint, 'ten edits on ten days');
select tests.set_clock(now() + interval '10 days');
select is(tests.edit('Your parcel is here.'), 'TEMPLATE_007', 'an eleventh');
select tests.set_clock(now() + interval '29 days 23 hours');
select is(tests.edit('Your parcel is here.'), 'TEMPLATE_007', 'within 30 days of the first');
select tests.set_clock(now() + interval '30 days');
select is(tests.edit('Your parcel is here.'), null, 'goes when the first is 30 days old');
select tests.answer_template(tests.claim_template('acme.ready'), 'failed', '{"error_code": "TEMPLATE_007", "error_message": "You can edit once a day"}');
select is((select row (t.status, t.meta_status, t.problem, t.components #>> '{0,text}')::text from tests.template('acme.ready') t),
    '(approved,APPROVED,"You can edit once a day","Your parcel number 10 waits.")', 'what Meta refuses leaves what it has');
select ok((select s.requested_at = private.clock() from private.template_syncs s where s.org_id = tests.id('acme')), 'its list is asked what became of it meanwhile');
select is(tests.edit('Your parcel is here.'), null, 'the refused one did not count');
select tests.accept_edit();
select tests.set_clock(now());

-- Rejected: corrected as often as one likes, submitted again.
select tests.make_template('acme.sale', 'pending');
select tests.template_event('acme.sale', '{"event": "REJECTED", "reason": "TAG_CONTENT_MISMATCH", "rejection_info": {"reason": "The category does not fit.", "recommendation": "Choose marketing."}}');
select results_eq($$ select status, rejected_reason, status_reason from tests.template('acme.sale') $$,
    $$ values ('rejected', 'TAG_CONTENT_MISMATCH', 'The category does not fit. Choose marketing.') $$, 'rejected, with the reasons');
select is((tests.told())[cardinality(tests.told())], 'template.rejected: {"name": "sale", "reason": "TAG_CONTENT_MISMATCH"}', 'they are told');
select is(tests.change_template('acme.sale', '{"name": "x"}'), 'TEMPLATE_004', 'its name is Meta''s');
select is(tests.change_template('acme.sale', jsonb_build_object('category', 'marketing', 'components', tests.body('Everything is cheaper today.'))), null, 'corrected');
select results_eq($$ select status, has_changes from tests.template('acme.sale') $$, $$ values ('rejected', true) $$, 'only here');
select tests.apply_list(jsonb_build_array(tests.listed('sale', 'REJECTED')), false);
select results_eq($$ select category, components #>> '{0,text}' from tests.template('acme.sale') $$, $$ values ('marketing', 'Everything is cheaper today.') $$,
    'which Meta''s list does not overwrite');
select is(tests.on_template('submit_template', 'acme.sale'), null, 'submitted again');
select results_eq($$ select status, has_changes, rejected_reason, status_reason from tests.template('acme.sale') $$, $$ values ('pending', false, null::text, null::text) $$, 'it waits');
select tests.claim_template('acme.sale') as work \gset
select is(:'work'::jsonb ->> 'action', 'edit', 'as an edit of what is there');
select tests.answer_template(:'work', 'failed', '{"error_code": "TEMPLATE_004", "error_message": "Too many variables"}');
select results_eq($$ select status, has_changes, rejected_reason, problem, components #>> '{0,text}' from tests.template('acme.sale') $$,
    $$ values ('rejected', true, 'TAG_CONTENT_MISMATCH', 'Too many variables', 'Everything is cheaper today.') $$, 'refused: rejected still, with what was written');
select is((tests.told())[cardinality(tests.told())], 'template.failed: {"code": "TEMPLATE_004", "name": "sale", "action": "edit"}', 'they are told');

-- A creation that fails, one that is tried again, and one that nobody heard the answer of.
select tests.make_template('acme.broken', 'draft');
select tests.on_template('submit_template', 'acme.broken');
select tests.claim_template('acme.broken') as work \gset
select tests.answer_template(:'work', 'retry', '{"retry_seconds": 30}');
select is(tests.claim_template('acme.broken'), null, 'not at once');
select tests.set_clock(now() + interval '30 seconds');
select tests.claim_template('acme.broken') as again \gset
select is(:'again'::jsonb -> 'attempt', '2', 'its second attempt');
select tests.answer_template(:'work', 'failed', '{"error_code": "WA_001"}');
select is(tests.template_state('acme.broken'), 'pending', 'a late answer of the first says nothing');
select tests.set_clock(now() + interval '5 minutes 29 seconds');
select is(tests.claim_template('acme.broken'), null, 'somebody is at it');
select tests.set_clock(now() + interval '5 minutes 30 seconds');
select is(tests.claim_template('acme.broken') -> 'attempt', '3', 'who seems to be dead');
select tests.answer_template(:'again'::jsonb || '{"attempt": 3}', 'failed', '{"error_code": "TEMPLATE_004", "error_message": "Invalid parameter"}');
select results_eq($$ select status, problem, wa_template_id from tests.template('acme.broken') $$, $$ values ('draft', 'Invalid parameter', null::text) $$, 'a draft again, with the problem');
select is(tests.change_template('acme.broken', '{"category": "marketing"}'), null, 'it is corrected');
select is((tests.template('acme.broken')).problem, null, 'and the problem is gone');
select tests.set_clock(now());
select tests.on_template('submit_template', 'acme.broken');
select tests.template_event('acme.broken', '{"event": "APPROVED"}', p_more => '{"wa_template_id": "88"}');
select results_eq($$ select status, wa_template_id from tests.template('acme.broken') $$, $$ values ('approved', '88') $$, 'a webhook may be faster than the answer');
select tests.answer_template(tests.claim_template('acme.broken'), 'done', '{"wa_template_id": "88", "status": "PENDING"}');
select is(tests.template_state('acme.broken'), 'approved (APPROVED)', 'which changes nothing then');

-- Meta makes another category of it.
select tests.make_template('acme.offer', 'draft');
select tests.on_template('submit_template', 'acme.offer');
select tests.answer_template(tests.claim_template('acme.offer'), 'done', '{"wa_template_id": "99", "status": "APPROVED", "category": "MARKETING"}');
select results_eq($$ select status, category, previous_category from tests.template('acme.offer') $$, $$ values ('approved', 'marketing', 'utility') $$, 'at once');

-- Files go up first.
select tests.make_template('acme.picture', 'draft', 'utility', tests.body('Your order is ready.') || jsonb_build_array(jsonb_build_object('type', 'HEADER', 'format', 'IMAGE',
    'media', jsonb_build_object('path', tests.id('acme') || '/' || tests.id('file') || '/a.png', 'mime', 'image/png'))));
select is(tests.on_template('submit_template', 'acme.picture'), null, 'a header with a file');
select tests.claim_template('acme.picture') as work \gset
select is(:'work'::jsonb ->> 'action', 'upload', 'is uploaded first');
select is(:'work'::jsonb -> 'payload', jsonb_build_object('files', jsonb_build_array(
    jsonb_build_object('path', tests.id('acme') || '/' || tests.id('file') || '/a.png', 'mime', 'image/png'))), 'that file');
select tests.answer_template(:'work', 'done', jsonb_build_object('handles', jsonb_build_object(tests.id('acme') || '/' || tests.id('file') || '/a.png', '4:handle')));
select tests.claim_template('acme.picture') as work \gset
select is(:'work'::jsonb ->> 'action', 'submit', 'then it is submitted');
select is(:'work'::jsonb #> '{payload,components,1}', '{"type": "HEADER", "format": "IMAGE", "example": {"header_handle": ["4:handle"]}}', 'with Meta''s handle and no key of ours');
select tests.answer_template(:'work', 'failed', '{"error_message": "no"}');
select ok((tests.template('acme.picture')).components #> '{1,media}' is not null, 'our file stays ours');
select is(tests.on_template('submit_template', 'acme.picture'), null, 'again');
select is(tests.claim_template('acme.picture') ->> 'action', 'upload', 'handles do not last: it is uploaded again');

-- Deletion.
select is(tests.on_template('delete_template', 'acme.offer', u), c, u) from (values ('acme.agent', 'AUTH_003'), ('globex.owner', 'TEMPLATE_001')) v (u, c);
select is(tests.on_template('delete_template', 'acme.offer'), null, 'an approved one');
select is(tests.template_state('acme.offer'), 'disabled (PENDING_DELETION)', 'is nobody''s to use any more');
select is(tests.on_template(f, 'acme.offer'), 'TEMPLATE_006', f) from unnest(array['delete_template', 'submit_template']) f;
select tests.template_event('acme.offer', '{"event": "APPROVED"}');
select is(tests.template_state('acme.offer'), 'disabled (PENDING_DELETION)', 'whatever Meta says');
select tests.claim_template('acme.offer') as work \gset
select is(:'work'::jsonb - '{template_id,access_token}'::text[], jsonb_build_object('action', 'delete', 'waba_id', '91001', 'wa_template_id', '99', 'attempt', 1,
    'payload', '{"name": "offer", "language": "en_US"}'::jsonb), 'Meta is asked to delete this language of it');
select tests.answer_template(:'work', 'failed', '{"error_message": "Not today"}');
select results_eq($$ select status, meta_status, problem, deleted_at from tests.template('acme.offer') $$, $$ values ('approved', 'APPROVED', 'Not today', null::timestamptz) $$, 'refused: as it was');
select tests.on_template('delete_template', 'acme.offer');
select tests.answer_template(tests.claim_template('acme.offer'), 'done');
select is((tests.template('acme.offer')).deleted_at, private.clock(), 'deleted');
select is(tests.on_template('delete_template', 'acme.offer'), 'TEMPLATE_001', 'it is not there any more');
select is(tests.count_for('acme.owner', $$ select from jsonb_array_elements(list_templates(tests.id('acme'), 'offer') -> 'templates') $$), 0::bigint, 'in no list');
select tests.make_template('acme.again', 'draft');
select tests.change_template('acme.again', '{"name": "offer"}');
select is(tests.on_template('submit_template', 'acme.offer'), 'TEMPLATE_005', 'Meta keeps its name');
select tests.set_clock(now() + interval '30 days');
select is(tests.on_template('submit_template', 'acme.offer'), null, 'for 30 days');
select tests.set_clock(now());

-- What Meta disabled is only taken away here.
select tests.make_template('acme.bad', 'disabled', p_meta_status => 'DISABLED');
select is(tests.change_template('acme.bad', '{"components": []}'), 'TEMPLATE_006', 'a disabled one is not edited');
select is(tests.on_template('submit_template', 'acme.bad'), 'TEMPLATE_006', 'nor submitted');
select is(tests.on_template('delete_template', 'acme.bad'), null, 'but deleted');
select ok((tests.template('acme.bad')).deleted_at is not null, 'at once');
select is(tests.claim_template('acme.bad'), null, 'Meta is not asked: it refuses that');

-- Paused ones may be mended.
select tests.make_template('acme.tired', 'disabled', 'marketing', p_meta_status => 'PAUSED');
select is(tests.change_template('acme.tired', jsonb_build_object('category', 'utility', 'components', tests.body('Your order is ready now.'))), null, 'with another category');
select is(tests.claim_template('acme.tired') -> 'payload' ->> 'category', 'UTILITY', 'which is sent');
select is((select count(*) from private.template_edits e where e.template_id = tests.id('acme.tired')), 0::bigint, 'without a limit');

-- What campaigns are about to send stays as it is.
select tests.make_template('acme.used');
insert into public.campaigns (id, org_id, name, status) values (tests.id('a campaign'), tests.id('acme'), 'Spring', 'draft');
insert into public.campaign_variants (campaign_id, position, org_id, template_id) values (tests.id('a campaign'), 1, tests.id('acme'), tests.id('acme.used'));
create function tests.while_campaign(p_status text) returns text[] language plpgsql as $$
begin
    update public.campaigns set status = p_status where id = tests.id('a campaign');
    return array[tests.edit('Your order is on its way.', 'acme.used'), tests.on_template('delete_template', 'acme.used')];
end
$$;
select is(tests.while_campaign(s), array['TEMPLATE_008', 'TEMPLATE_008'], s) from unnest(array['scheduled', 'sending', 'paused']) s;
select tests.login_as('acme.owner');
select is(tests.details_of(format('select delete_template(%L)', tests.id('acme.used'))) -> 'used_by',
    jsonb_build_array(jsonb_build_object('kind', 'campaign', 'id', tests.id('a campaign'), 'name', 'Spring', 'status', 'paused')), 'which campaign is said');
select is(template_analytics(tests.id('acme.used')) -> 'campaigns', jsonb_build_array(jsonb_build_object('id', tests.id('a campaign'), 'name', 'Spring', 'status', 'paused')),
    'and can be looked up');
select tests.logout();
select is(tests.while_campaign('completed'), array[null, 'TEMPLATE_003'], 'what was sent holds nothing');

-- A number that is not connected.
select tests.make_template('acme.later', 'draft');
update public.whatsapp_accounts set status = 'error' where id = tests.id('acme.number');
select is(tests.on_template('submit_template', 'acme.later'), 'WA_006', 'submits nothing');
update public.whatsapp_accounts set status = 'connected' where id = tests.id('acme.number');
select is(tests.on_template('submit_template', 'acme.later'), null, 'connected');
update public.whatsapp_accounts set status = 'error' where id = tests.id('acme.number');
select is(tests.claim_template('acme.later'), null, 'and in between nothing is asked of Meta');
update public.whatsapp_accounts set status = 'connected' where id = tests.id('acme.number');
select isnt(tests.claim_template('acme.later'), null, 'it only waits');

select * from finish();
rollback;
