-- Segments: made, changed, deleted, asked about (PRD §8; docs/contacts-and-segments.md).

begin;
\ir helpers/load.sql
\ir helpers/segments.sql
select no_plan();
select tests.make_world();
select tests.make_contact('acme', 'acme.ravi', '+60170001111'), tests.make_contact('acme', 'acme.mei', '+60170002222');
update public.contacts set lifecycle_stage = 'customer' where id in (tests.id('acme.siti'), tests.id('globex.siti'));
insert into public.tags (id, org_id, name) values (tests.id('vip'), tests.id('acme'), 'VIP'), (tests.id('theirs'), tests.id('globex'), 'VIP');

create function tests.create_as(p_user text, p_name text, p_rules jsonb) returns text language sql as $$
    select tests.error_for(p_user, format('select create_segment(%L, %L, %L, %L)', tests.id('acme'), p_name, 'dynamic', p_rules))
$$;
create function tests.change(p_name text, p_new_name text, p_rules jsonb, p_user text default 'acme.campaign_manager') returns text language sql as $$
    select tests.error_for(p_user, format('select update_segment(%L, %L, %L, null, %L)', (tests.segment(p_name)).id, p_new_name, p_rules,
        (tests.segment(p_name)).updated_at))
$$;
create function tests.delete_as(p_user text, p_name text) returns text language sql as $$
    select tests.error_for(p_user, format('select delete_segment(%L)', (tests.segment(p_name)).id))
$$;
-- The value a function returns to somebody.
create function tests.answer_for(p_user text, p_sql text) returns jsonb language plpgsql as $$
declare
    v_answer jsonb;
begin
    perform tests.login_as(p_user);
    execute 'select to_jsonb((' || p_sql || '))' into v_answer;
    perform tests.logout();
    return v_answer;
end
$$;

-- Making.
select is(tests.create_as('acme.campaign_manager', ' Customers ', tests.rule('lifecycle_stage', 'is', '"customer"')), null, 'a segment is made');
select results_eq(
    $$ select name, kind, member_count, evaluated_at, created_by from public.segments $$,
    $$ values ('Customers', 'dynamic', 1, private.clock(), tests.id('acme.campaign_manager')) $$, 'trimmed, counted at once'
);
select is(tests.members('Customers'), array['Acme.Siti'], 'with its members, of its organisation only');
select is(tests.segment_events('Customers'), '{}', 'nobody entered a segment that was not there');
select is(tests.create_as('acme.' || r, 'By ' || r, '{"all": []}'), e, format('%s: %s', r, coalesce(e, 'may')))
from (values ('owner', null), ('admin', null), ('campaign_manager', null), ('agent', 'AUTH_003'), ('viewer', 'AUTH_003')) v (r, e);
select is(tests.create_as('globex.owner', 'x', '{"all": []}'), 'ORG_001', 'another organisation''s owner may not');
select is(tests.create_as('stranger', 'x', '{"all": []}'), 'ORG_001', 'a stranger may not');
select tests.login_anon();
select throws_ok($$ select public.create_segment(null, 'x', 'dynamic', '{"all": []}') $$, '42501', null, 'nobody anonymous may');
select tests.logout();
select is((tests.segment('By owner')).member_count, 3, 'rules without a leaf are everybody');
select is(tests.create_as('acme.owner', 'customers', '{"all": []}'), 'SEGMENT_003', 'names are unique without regard to case');
select is(tests.create_as('acme.owner', n, '{"all": []}'), 'SEGMENT_002', 'a name is needed') from unnest(array[null, '  ', repeat('x', 101)]) n;
select is(tests.create_as('acme.owner', 'No rules', null), 'SEGMENT_007', 'a dynamic segment has rules');
select is(tests.error_for('acme.owner', $$ select create_segment(tests.id('acme'), 'x', 'static', '{"all": []}') $$), 'SEGMENT_007', 'a static one has none');
select is(tests.error_for('acme.owner', $$ select create_segment(tests.id('acme'), 'x', 'dynamic', '{"all": []}', '{"ids": []}') $$), 'SEGMENT_007', 'nor a dynamic one a list');
select is(tests.error_for('acme.owner', format('select create_segment(tests.id(''acme''), ''x'', %L)', k)), 'SEGMENT_007', 'and there is no third kind')
from unnest(array['other', null]) k;

-- Rules that are no rules.
create temporary table hostile (rules jsonb) on commit drop;
insert into hostile values
    ('null'), ('[]'), ('"all"'), ('{}'), ('{"all": {}}'), ('{"all": [], "any": []}'), ('{"all": [{"field": "email"}]}'),
    (tests.rule('email; drop table contacts', 'is', '"x"')), (tests.rule('email', 'is'' or true --', '"x"')), (tests.rule('custom.x', 'is', '"x"')),
    (tests.rule('password', 'is', '"x"')), (tests.rule('email', 'is', '""')), (tests.rule('messages_sent', 'is', '"1); delete from contacts"')),
    (tests.rule('created_at', 'before', '"yesterday"')), (tests.rule('tags', 'has_any_of', '["x"]')), (tests.rule('segment', 'is_in', '"x"')),
    (jsonb_build_object('all', (select jsonb_agg(tests.rule('email', 'is_empty')) from generate_series(1, 101)))),
    (tests.rule('email', 'is', to_jsonb(repeat('x', 501)))),
    ((repeat('{"all": [', 50) || repeat(']}', 50))::jsonb),
    (tests.rule('tags', 'has_any_of', jsonb_build_array(tests.id('theirs')))), (tests.rule('tags', 'has_any_of', jsonb_build_array(tests.id('nowhere')))),
    (tests.rule('segment', 'is_in', to_jsonb(tests.id('nowhere'))));
select is(tests.create_as('acme.owner', 'Hostile', h.rules), 'SEGMENT_002', 'refused: ' || left(h.rules::text, 100)) from hostile h;
select isnt(tests.answer_for('acme.viewer', format('select public.preview_segment(tests.id(''acme''), %L)', h.rules)) -> 'problems', '[]'::jsonb,
    'the preview says why: ' || left(h.rules::text, 100)) from hostile h;
select is((select count(*) from public.segments where name = 'Hostile'), 0::bigint, 'nothing is left of them');
select is(
    (tests.outcome(format('select tests.login_as(''acme.owner''), create_segment(tests.id(''acme''), ''x'', ''dynamic'', %L)',
        tests.rule('tags', 'has_any_of', jsonb_build_array(tests.id('theirs'))))) ->> 'details')::jsonb #>> '{problems,0,path}',
    '/all/0/value', 'and where'
);
select tests.logout();
-- Values that look like statements are values.
select is(tests.create_as('acme.owner', 'Quotes', tests.rule('full_name', 'is_one_of', '["''; drop table contacts; --", "($1)[1]", "$2", "\\"]')), null, 'odd texts are texts');
select is(tests.members('Quotes'), '{}', 'that nobody is called');
update public.contacts set full_name = '$2' where id = tests.id('acme.mei');
select is(tests.members('Quotes'), array['$2'], 'until somebody is');

-- Changing.
select is(tests.change('Customers', 'Buyers', null), null, 'a segment is renamed');
select is((tests.segment('Buyers')).rules, tests.rule('lifecycle_stage', 'is', '"customer"'), 'its rules stay');
select is(
    tests.details_of(format('select tests.login_as(''acme.owner''), update_segment(%L, ''x'', null, null, %L)', (tests.segment('Buyers')).id, now() - interval '1 day'))
        #>> '{segment,name}', 'Buyers', 'a stale edit is shown the other version'
);
select tests.logout();
select is(tests.error_for('acme.owner', format('select update_segment(%L, ''x'', null, null, null)', (tests.segment('Buyers')).id)), 'SEGMENT_006', 'no version is a stale one');
select is(tests.change('Buyers', 'By owner', null), 'SEGMENT_003', 'a name that is taken');
select is(tests.change('Buyers', null, tests.rule('email', 'is', '1')), 'SEGMENT_002', 'rules that are wrong');
select is(tests.change('Buyers', null, null, 'acme.viewer'), 'AUTH_003', 'a viewer changes nothing');
select is(tests.change('Buyers', null, null, 'globex.owner'), 'SEGMENT_001', 'a stranger finds nothing');
select is(tests.change('Buyers', null, tests.rule('lifecycle_stage', 'is', '"lead"')), null, 'new rules');
select is(tests.members('Buyers'), array['$2', 'Acme.Ravi'], 'have new members');
select is((tests.segment('Buyers')).member_count, 2, 'counted at once');
select set_eq(format('select unnest(%L::text[])', tests.segment_events('Buyers')),
    array['entered $2 (rebuild)', 'entered Acme.Ravi (rebuild)', 'left Acme.Siti (rebuild)'], 'who came and went is told');

-- Reading.
select is(
    tests.answer_for('acme.viewer', format('select public.preview_segment(tests.id(''acme''), %L)', tests.rule('lifecycle_stage', 'is', '"customer"'))) - 'contacts' - 'sentence',
    '{"count": 1, "problems": []}', 'a viewer previews'
);
select is(
    tests.answer_for('acme.viewer', format('select public.preview_segment(tests.id(''acme''), %L)', tests.rule('lifecycle_stage', 'is', '"customer"')))
        #>> '{contacts,0,full_name}', 'Acme.Siti', 'whom it would be'
);
select isnt(
    tests.answer_for('acme.viewer', format('select public.preview_segment(tests.id(''acme''), %L)', tests.rule('tags', 'has_any_of', jsonb_build_array(tests.id('vip')))))
        ->> 'sentence', '', 'in words'
);
select matches(tests.answer_for('acme.viewer', format('select public.segment_sentence(%L)', (tests.segment('Buyers')).id)) #>> '{}', '(?i)lead', 'the sentence of a segment');
select isnt(tests.answer_for('acme.viewer', $$ select public.segment_catalog(tests.id('acme')) $$), '[]'::jsonb, 'the catalogue');
select is(tests.answer_for('acme.viewer', format('select public.segment_usage(%L)', (tests.segment('Buyers')).id)), '[]', 'what uses it');
select is(
    (select e from jsonb_array_elements(tests.answer_for('acme.viewer', $$ select public.segment_summaries(tests.id('acme')) $$)) e where e ->> 'id' = (tests.segment('Buyers')).id::text),
    jsonb_build_object('id', (tests.segment('Buyers')).id, 'used_by', '[]'::jsonb, 'sentence',
        tests.answer_for('acme.viewer', format('select public.segment_sentence(%L)', (tests.segment('Buyers')).id))), 'the same of all at once'
);
select is(
    (select e - 'sentence' from jsonb_array_elements(tests.answer_for('acme.viewer', $$ select public.contact_segments(tests.id('acme.siti')) $$)) e where e ->> 'name' = 'Buyers'),
    jsonb_build_object('id', (tests.segment('Buyers')).id, 'name', 'Buyers', 'kind', 'dynamic', 'is_member', false, 'pin', null), 'the segments of a contact'
);
select is(
    tests.count_for('acme.viewer', format('select * from public.segment_members(%L)', (tests.segment('Buyers')).id)), 2::bigint, 'its members'
);
select results_eq(
    format('select id from public.segment_members(%1$L, 1, (select max(id::text)::uuid from public.segment_members(%1$L)))', (tests.segment('Buyers')).id),
    format('select min(id::text)::uuid from public.segment_members(%L)', (tests.segment('Buyers')).id), 'page by page'
);
select is(
    tests.answer_for('acme.viewer', format('select public.explain_segment(%L, tests.id(''acme.siti''))', (tests.segment('Buyers')).id)) #> '{is_true}', 'false', 'why not'
);
select ok(
    tests.answer_for('acme.viewer', format('select public.explain_segment(%L, tests.id(''acme.siti''))', (tests.segment('Buyers')).id)) @> '{"is_member": false, "pin": null}', 'and whether'
);
-- SQL and plan.
create function tests.ids_of(p_sql text) returns uuid[] language plpgsql as $$
declare
    v_ids uuid[];
begin
    execute format('select array_agg(x.id order by x.id) from (%s) x', p_sql) into v_ids;
    return v_ids;
end
$$;
select is(tests.ids_of(public.segment_sql((tests.segment(n)).id)),
    (select array_agg(m.contact_id order by m.contact_id) from public.segment_members m where m.segment_id = (tests.segment(n)).id), 'the SQL of ' || n || ' gives its members')
from unnest(array['Buyers', 'Quotes', 'By owner']) n;
select cmp_ok((select count(*) from public.segment_plan((tests.segment('Buyers')).id)), '>', 0::bigint, 'there is a plan');

-- Everybody else's reading.
create temporary table readers (statement text) on commit drop;
insert into readers
select format('select public.%s(%L)', f, (tests.segment('Buyers')).id)
from unnest(array['segment_usage', 'segment_sentence', 'segment_members', 'segment_sql', 'segment_plan']) f
union all select format('select public.explain_segment(%L, %L)', (tests.segment('Buyers')).id, tests.id('acme.siti'));
select is(tests.error_for(u, r.statement), 'SEGMENT_001', u || ': ' || r.statement) from readers r, unnest(array['globex.owner', 'stranger']) u;
select is(tests.error_for('globex.owner', s), e, s) from (values
    ($$ select preview_segment(tests.id('acme'), '{"all": []}') $$, 'ORG_001'), ($$ select segment_catalog(tests.id('acme')) $$, 'ORG_001'),
    ($$ select contact_segments(tests.id('acme.siti')) $$, 'CONTACT_001')) v (s, e);
select is(tests.error_for('acme.viewer', format('select explain_segment(%L, %L)', (tests.segment('Buyers')).id, tests.id('globex.siti'))), 'CONTACT_001', 'nor other people''s contacts');
select is(tests.count_for('globex.owner', 'select from public.' || t), 0::bigint, 'a stranger sees no ' || t) from unnest(array['segments', 'segment_members', 'segment_pins']) t;
select cmp_ok(tests.count_for('acme.viewer', 'select from public.' || t), '>', 0::bigint, 'a viewer sees ' || t) from unnest(array['segments', 'segment_members']) t;
-- Who has no user but a role of their own in the database.
select is(tests.error_of(r.statement), null, 'an admin in psql: ' || r.statement) from readers r;
select tests.login_with('postgres', '{}');
select is((select count(*) from public.segment_members((select id from public.segments where name = 'Buyers'))), 2::bigint, 'the role postgres too');
select tests.logout();
create temporary table known on commit drop as select (tests.segment('Buyers')).id;
grant select on known to authenticated;
select tests.login_with('authenticated', '{}');
select is(tests.error_of('select public.segment_members((select id from known))'), 'SEGMENT_001', 'a caller without a user finds nothing');
select is(tests.error_of('select public.preview_segment(tests.id(''acme''), ''{"all": []}'')'), 'AUTH_002', 'and is told to sign in');
select tests.logout();

-- Deleting.
select is(tests.delete_as('acme.agent', 'Buyers'), 'AUTH_003', 'an agent deletes nothing');
select is(tests.delete_as('globex.owner', 'Buyers'), 'SEGMENT_001', 'a stranger finds nothing');
create temporary table gone on commit drop as select (tests.segment('Buyers')).id;
select is(tests.delete_as('acme.owner', 'Buyers'), null, 'a segment is deleted');
select is((select count(*) from public.segment_members m where m.segment_id in (select id from gone)), 0::bigint, 'with its members');
select is(tests.delete_as('acme.owner', 'Buyers'), 'SEGMENT_001', 'once');
select is(tests.members('By owner'), array['$2', 'Acme.Ravi', 'Acme.Siti'], 'the others go on');

insert into public.segments (org_id, name, kind) select tests.id('acme'), 'list ' || i, 'static' from generate_series(1, 200 - (select count(*)::integer from public.segments)) i;
select is(tests.create_as('acme.owner', 'One too many', '{"all": []}'), 'SEGMENT_008', 'the two hundred and first is refused');
select is(tests.delete_as('acme.owner', 'list 1'), null, 'with one less');
select is(tests.create_as('acme.owner', 'The last', '{"all": []}'), null, 'there is room');

select * from finish();
rollback;
