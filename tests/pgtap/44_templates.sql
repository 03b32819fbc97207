-- Drafts of templates: making, changing, copying, and what is wrong with them.

begin;
\ir helpers/load.sql
select no_plan();
select tests.make_world();

create function tests.make(p_fields jsonb, p_user text default 'acme.campaign_manager') returns text language sql as $$
    select tests.error_for(p_user, format('select create_template(tests.id(''acme''), %L)', p_fields))
$$;
create function tests.problems(p_sql text, p_user text default 'acme.campaign_manager') returns jsonb language plpgsql as $$
declare
    v_details jsonb;
begin
    perform tests.login_as(p_user);
    v_details := tests.details_of(p_sql);
    perform tests.logout();
    return jsonb_path_query_array(v_details, '$.problems[*].path');
end
$$;

-- Roles.
select is(tests.make(jsonb_build_object('name', 'by_' || r), 'acme.' || r), case when r in ('owner', 'admin', 'campaign_manager') then null else 'AUTH_003' end, r)
from unnest(array['owner', 'admin', 'campaign_manager', 'agent', 'viewer']) r;
select is(tests.make('{"name": "x"}', 'globex.owner'), 'ORG_001', 'a member of another organisation');
select is(tests.make('{"name": "x"}', 'stranger'), 'ORG_001', 'a stranger');
select tests.login_anon();
select is(tests.error_of($$ select create_template(tests.id('acme'), '{"name": "x"}') $$), '42501', 'nobody');
select tests.logout();
select results_eq(
    $$ select status, language, category, parameter_format, waba_id, components, links, created_by, wa_template_id from tests.template('acme.by_owner') $$,
    $$ values ('draft', 'en_US', 'marketing', 'positional', '91001', '[]'::jsonb, '{}'::jsonb, tests.id('acme.owner'), null::text) $$, 'an empty draft'
);
select isnt_empty($$ select h from tests.heard('org:' || tests.id('acme')) h where h ->> 'event' = 'templates'
    and h -> 'template_ids' ? ((tests.template('acme.by_owner')).id)::text $$, 'whoever looks is told');
select is(tests.count_for('acme.' || r, 'select from public.templates'), 3::bigint, r || ' sees them')
from unnest(array['owner', 'admin', 'campaign_manager', 'agent', 'viewer']) r;
select is(tests.count_for(u, 'select from public.templates'), 0::bigint, u || ' sees none') from unnest(array['globex.owner', 'stranger']) u;

-- Tables are not written directly.
select is(tests.error_for('acme.owner', s), '42501', s) from unnest(array[
    $$ insert into public.templates (org_id, waba_id, name, language, category) values (tests.id('acme'), '91001', 'x', 'en', 'utility') $$,
    $$ update public.templates set status = 'approved' $$, $$ delete from public.templates $$,
    $$ select from private.template_work $$, $$ select worker.claim_template_work(1) $$, $$ select private.set_meta_status(tests.id('x'), '{"status": "APPROVED"}', null) $$
]) s;

-- Names.
select is(tests.make(jsonb_build_object('name', n)), 'TEMPLATE_004', 'no name: ' || left(coalesce(n, 'null'), 20))
from unnest(array[null, '', 'Hello', 'a b', 'a-b', 'é', repeat('a', 513)]) n;
select is(tests.make('{}'), 'TEMPLATE_004', 'a name is needed');
select is(tests.make(jsonb_build_object('name', repeat('a', 512))), null, 'as long as Meta takes');
select is(tests.make('{"name": "by_owner"}'), 'TEMPLATE_005', 'taken');
select is(tests.make('{"name": "by_owner", "language": "ms"}'), null, 'in another language it is another template');
select is(tests.error_for('globex.owner', $$ select create_template(tests.id('globex'), '{"name": "by_owner"}') $$), null, 'in another organisation, too');

-- Fields.
select is(tests.problems(format('select create_template(tests.id(''acme''), %L)', '{"name": "fields"}'::jsonb || f)), jsonb_build_array(p), f::text)
from (values
    ('{"org_id": "x"}'::jsonb, '/org_id'), ('{"status": "approved"}', '/status'), ('{"wa_template_id": "1"}', '/wa_template_id'),
    ('{"language": "en-US"}', '/language'), ('{"language": null}', '/language'), ('{"category": "MARKETING"}', '/category'),
    ('{"category": "other"}', '/category'), ('{"parameter_format": "both"}', '/parameter_format'), ('{"waba_id": "91002"}', '/waba_id'),
    ('{"components": {}}', '/components'), ('{"components": [1]}', '/components/0'), ('{"components": [{"type": "body"}]}', '/components/0'),
    ('{"components": [{"type": "BODY"}, {"type": "BUTTONS", "buttons": {}}]}', '/components/1'),
    ('{"components": [{"type": "BUTTONS", "buttons": [1]}]}', '/components/0'), ('{"components": [{"type": "CAROUSEL", "cards": [{}]}]}', '/components/0'),
    ('{"links": []}', '/links'), ('{"links": {"x": "https://shop.example.com"}}', '/links'), ('{"links": {"0": 7}}', '/links'),
    ('{"links": {"0": "http://shop.example.com"}}', '/links/0'), ('{"links": {"0": "javascript:alert(1)"}}', '/links/0')
) v (f, p);
select is(tests.problems(format('select create_template(tests.id(''acme''), %L)', jsonb_build_object('name', 'long', 'components', tests.body(repeat('x', 60000))))),
    '["/components"]', 'more than all parts of a template can be');

-- Files are the organisation's own: workers read them with a key that opens every folder.
create function tests.with_file(p_path text) returns jsonb language sql as $$
    select jsonb_build_array(jsonb_build_object('type', 'HEADER', 'format', 'IMAGE', 'media', jsonb_build_object('path', p_path, 'mime', 'image/png')))
$$;
select is(tests.problems(format('select create_template(tests.id(''acme''), %L)', jsonb_build_object('name', 'file', 'components', tests.with_file(p)))),
    '["/components/0/media"]', p)
from (values (tests.id('globex') || '/' || tests.id('f') || '/a.png'), (tests.id('acme') || '/../' || tests.id('globex') || '/a.png'), ('a.png'),
    (tests.id('acme') || '/' || tests.id('f') || '/x/../../../a.png')) v (p);
select is(tests.problems(format('select create_template(tests.id(''acme''), %L)', jsonb_build_object('name', 'file', 'components', jsonb_build_array(
    jsonb_build_object('type', 'CAROUSEL', 'cards', jsonb_build_array(jsonb_build_object('components', tests.with_file(tests.id('globex') || '/' || tests.id('f') || '/a.png'))))))))
    , '["/components/0/cards/0/components/0/media"]', 'in cards, too');
select is(tests.make(jsonb_build_object('name', 'file', 'components', tests.with_file(tests.id('acme') || '/' || tests.id('f') || '/a.png'))), null, 'a file of one''s own');

-- Changes.
select is(tests.change_template('acme.by_owner', '{"name": "renamed", "language": "ms", "category": "utility", "components": [{"type": "BODY"}]}'), null, 'a draft');
select results_eq($$ select name, language, category, components, status from tests.template('acme.renamed') $$,
    $$ values ('renamed', 'ms', 'utility', '[{"type": "BODY"}]'::jsonb, 'draft') $$, 'changes as one likes');
select is(tests.change_template('acme.renamed', '{"links": {"0": "https://shop.example.com/a"}}'), null, 'one field');
select is((tests.template('acme.renamed')).components, '[{"type": "BODY"}]'::jsonb, 'leaves the others');
select is(tests.change_template('acme.renamed', '{"name": "by_admin", "language": "en_US"}'), 'TEMPLATE_005', 'taken');
select is(tests.change_template('acme.renamed', '{"name": "x"}', u), c, u) from (values
    ('acme.agent', 'AUTH_003'), ('acme.viewer', 'AUTH_003'), ('globex.owner', 'TEMPLATE_001'), ('stranger', 'TEMPLATE_001')) v (u, c);
select tests.login_as('acme.owner');
select is(tests.outcome(format('select update_template(%L, ''{"name": "x"}'', now() - interval ''1 day'')', (tests.template('acme.renamed')).id)) ->> 'code',
    'TEMPLATE_010', 'somebody else was faster');
select is(tests.details_of(format('select update_template(%L, ''{"name": "x"}'', now() - interval ''1 day'')', (tests.template('acme.renamed')).id)) #>> '{template,name}',
    'renamed', 'what they made of it is said');
select tests.logout();

-- Copies.
select is(tests.error_for('acme.owner', format('select duplicate_template(%L, ''copy'')', (tests.template('acme.renamed')).id)), null, 'a copy');
select results_eq($$ select language, category, components, links, status, created_by from tests.template('acme.copy') $$,
    $$ select language, category, components, links, 'draft', tests.id('acme.owner') from tests.template('acme.renamed') $$, 'of everything but the name');
select is(tests.error_for('acme.owner', format('select duplicate_template(%L, ''copy'')', (tests.template('acme.renamed')).id)), 'TEMPLATE_005', 'once');
select is(tests.error_for(u, format('select duplicate_template(%L, ''copy_2'')', (tests.template('acme.renamed')).id)), c, u) from (values
    ('acme.agent', 'AUTH_003'), ('globex.owner', 'TEMPLATE_001')) v (u, c);

-- Checks.
create function tests.checked(p_fields jsonb, p_user text default 'acme.owner') returns jsonb language plpgsql as $$
declare
    v_problems jsonb;
begin
    perform tests.login_as(p_user);
    v_problems := public.check_template(tests.id('acme'), p_fields);
    perform tests.logout();
    return v_problems;
end
$$;
select is(tests.checked(jsonb_build_object('name', 'order_ready', 'category', 'utility', 'components', tests.body('Your order is ready.'))), '[]', 'nothing wrong');
select isnt(tests.checked(jsonb_build_object('name', 'order_ready', 'category', 'utility', 'components', tests.body('{{1}} is ready'))), '[]', 'Meta''s rules are asked');
select is(tests.checked(jsonb_build_object('name', 'copy', 'language', 'ms', 'category', 'utility', 'components', tests.body('Your order is ready.'))) #>> '{0,code}',
    'name_taken', 'names are looked up');
select is(tests.checked(jsonb_build_object('id', (tests.template('acme.copy')).id, 'name', 'copy', 'language', 'ms', 'category', 'utility',
    'components', tests.body('Your order is ready.'))), '[]', 'a template does not stand in its own way');
select is(tests.error_for(u, $$ select check_template(tests.id('acme'), '{"name": "x"}') $$), c, u) from (values ('acme.agent', 'AUTH_003'), ('globex.owner', 'ORG_001')) v (u, c);

-- Deleting a draft.
select is(tests.on_template('delete_template', 'acme.copy', u), c, u) from (values
    ('acme.agent', 'AUTH_003'), ('globex.owner', 'TEMPLATE_001'), ('acme.admin', null)) v (u, c);
select is((tests.template('acme.copy')).id, null, 'gone for good');
select is(tests.on_template('delete_template', 'acme.copy'), 'TEMPLATE_001', 'once');

-- As many as Meta has of one account.
insert into public.templates (org_id, waba_id, name, language, category) select tests.id('globex'), '91002', 'filler_' || i, 'en', 'utility' from generate_series(1, 5999) i;
select is((select count(*) from public.templates where org_id = tests.id('globex')), 6000::bigint, 'six thousand');
select is(tests.error_for('globex.owner', $$ select create_template(tests.id('globex'), '{"name": "one_too_many"}') $$), 'TEMPLATE_004', 'are all there can be');

-- No number.
select tests.make_org('initech'), tests.add_member('initech', 'owner');
select is(tests.error_for('initech.owner', $$ select create_template(tests.id('initech'), '{"name": "x"}') $$), 'WA_006', 'templates belong to a WhatsApp account');

select * from finish();
rollback;
