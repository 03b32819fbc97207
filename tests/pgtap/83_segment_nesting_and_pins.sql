-- Segments within segments, and contacts put in or kept out by hand.

begin;
\ir helpers/load.sql
\ir helpers/segments.sql
select no_plan();
select tests.make_world();
select tests.make_contact('acme', 'acme.ravi', '+60170001111'), tests.make_contact('acme', 'acme.mei', '+60170002222');
update public.contacts set lifecycle_stage = 'customer' where id in (tests.id('acme.siti'), tests.id('acme.ravi'));
update public.contacts set opt_in_status = 'opted_in' where id in (tests.id('acme.siti'), tests.id('acme.mei'));

create function tests.within(p_segment text, p_operator text default 'is_in') returns jsonb language sql as $$
    select tests.rule('segment', p_operator, to_jsonb((tests.segment(p_segment)).id))
$$;
create function tests.rewrite(p_name text, p_rules jsonb) returns text language sql as $$
    select tests.error_for('acme.owner', format('select update_segment(%L, null, %L, null, %L)', (tests.segment(p_name)).id, p_rules, (tests.segment(p_name)).updated_at))
$$;
create function tests.pin(p_segment text, p_contact text, p_kind text, p_user text default 'acme.campaign_manager') returns text language sql as $$
    select tests.error_for(p_user, format('select pin_segment_contacts(%L, %L, %L)', (tests.segment(p_segment)).id, array[tests.id(p_contact)], p_kind))
$$;

-- Three levels.
select tests.make_segment('Customers', tests.rule('lifecycle_stage', 'is', '"customer"'));
select tests.make_segment('Reachable', jsonb_build_object('all', (tests.within('Customers') -> 'all') || '[{"field": "opt_in_status", "operator": "is", "value": "opted_in"}]'));
select tests.make_segment('Not reachable', tests.within('Reachable', 'is_not_in'));
select is(tests.members('Customers'), array['Acme.Ravi', 'Acme.Siti'], 'the lowest');
select is(tests.members('Reachable'), array['Acme.Siti'], 'the middle');
select is(tests.members('Not reachable'), array['Acme.Mei', 'Acme.Ravi'], 'the highest');
select results_eq('select s.name, p.level from private.segment_programs p join public.segments s on s.id = p.segment_id order by 2',
    $$ values ('Customers', 0), ('Reachable', 1), ('Not reachable', 2) $$, 'in their order');
update public.contacts set lifecycle_stage = 'customer' where id = tests.id('acme.mei');
select is(tests.members('Reachable'), array['Acme.Mei', 'Acme.Siti'], 'a change below');
select is(tests.members('Not reachable'), array['Acme.Ravi'], 'goes all the way up');
select is(tests.segment_events('Not reachable'), array['left Acme.Mei (change)'], 'and is told there');
select is(tests.rewrite('Customers', tests.rule('lifecycle_stage', 'is', '"lead"')), null, 'new rules below');
select is(tests.members('Reachable'), '{}', 'change the middle');
select is(tests.members('Not reachable'), array['Acme.Mei', 'Acme.Ravi', 'Acme.Siti'], 'and the top');
select is(tests.rewrite('Customers', tests.rule('lifecycle_stage', 'is', '"customer"')), null, 'and back');
select is(tests.members('Reachable'), array['Acme.Mei', 'Acme.Siti'], 'again');

-- Circles.
select is(tests.rewrite('Customers', tests.within('Customers')), 'SEGMENT_004', 'not itself');
select is(tests.rewrite('Customers', tests.within('Not reachable', 'is_not_in')), 'SEGMENT_004', 'nor round the corner');
select is(
    tests.details_of(format('select tests.login_as(''acme.owner''), update_segment(%L, null, %L, null, %L)', (tests.segment('Customers')).id,
        tests.within('Not reachable'), (tests.segment('Customers')).updated_at)) #>> '{segment,name}', 'Not reachable', 'which one is said'
);
select tests.logout();
select is(tests.members('Customers'), array['Acme.Mei', 'Acme.Ravi', 'Acme.Siti'], 'nothing happened');
select is((select count(*) from private.segment_edges), 2::bigint, 'to anything');
select is(
    tests.error_for('acme.owner', format('select create_segment(tests.id(''acme''), ''x'', ''dynamic'', %L)', tests.rule('segment', 'is_in', to_jsonb(tests.make_segment('Theirs', '{"all": []}', 'globex'))))),
    'SEGMENT_002', 'other people''s segments do not exist'
);

-- Use.
select is(tests.error_for('acme.owner', format('select delete_segment(%L)', (tests.segment('Reachable')).id)), 'SEGMENT_005', 'what is used is not deleted');
select is(
    tests.details_of(format('select tests.login_as(''acme.owner''), delete_segment(%L)', (tests.segment('Reachable')).id)) -> 'used_by',
    jsonb_build_array(jsonb_build_object('kind', 'segment', 'id', (tests.segment('Not reachable')).id, 'name', 'Not reachable')), 'by whom is said'
);
select tests.logout();
select is(tests.rewrite('Not reachable', '{"all": []}'), null, 'no longer used');
select is(tests.error_for('acme.owner', format('select delete_segment(%L)', (tests.segment('Reachable')).id)), null, 'it goes');
select is(tests.members('Customers'), array['Acme.Mei', 'Acme.Ravi', 'Acme.Siti'], 'the rest stays');

-- A ladder: each names both of the step below. Paths double with each step, work does not.
select tests.make_segment('step 0', '{"all": []}'), tests.make_segment('step 0b', '{"all": []}');
create function tests.steps(p_below integer) returns jsonb language sql as $$
    select jsonb_build_object('any', (tests.within('step ' || p_below) -> 'all') || (tests.within('step ' || p_below || 'b') -> 'all'))
$$;
do $$
begin
    for i in 1..8 loop
        perform tests.make_segment('step ' || i, tests.steps(i - 1)), tests.make_segment('step ' || i || 'b', tests.steps(i - 1));
    end loop;
end
$$;
select is(tests.members('step 8'), array['Acme.Mei', 'Acme.Ravi', 'Acme.Siti'], 'eight levels deep');
select is(tests.error_for('acme.owner', format('select create_segment(tests.id(''acme''), ''step 9'', ''dynamic'', %L)', tests.steps(8))), 'SEGMENT_002', 'nine are too deep');
select is(tests.rewrite('step 0', tests.within('Customers')), 'SEGMENT_002', 'from below too');
select is(tests.members('step 8'), array['Acme.Mei', 'Acme.Ravi', 'Acme.Siti'], 'and nothing happened');

-- Pins.
update public.contacts set lifecycle_stage = 'lead' where id = tests.id('acme.mei');
select tests.make_segment('Above', tests.within('Customers'));
select tests.segment_events('Customers');
select is(tests.pin('Customers', 'acme.mei', 'include'), null, 'put in by hand');
select is((select count(*) from public.segment_members where segment_id = (tests.segment('Customers')).id), 3::bigint, 'at once');
select is(tests.members('Above'), array['Acme.Mei', 'Acme.Ravi', 'Acme.Siti'], 'and in what is built on it');
select is(tests.segment_events('Customers'), array['entered Acme.Mei (pin)'], 'it was a hand');
select is(tests.pin('Customers', 'acme.siti', 'exclude'), null, 'kept out');
select is(tests.members('Customers'), array['Acme.Mei', 'Acme.Ravi'], 'although the rules are true');
select ok(public.explain_segment((tests.segment('Customers')).id, tests.id('acme.siti')) @> '{"is_true": true, "is_member": false, "pin": "exclude"}',
    'which the explanation says');
select is(tests.pin('Customers', 'acme.siti', 'include'), null, 'the other way');
select is(tests.members('Customers'), array['Acme.Mei', 'Acme.Ravi', 'Acme.Siti'], 'a pin is changed');
select is(tests.rewrite('Customers', tests.rule('lifecycle_stage', 'is', '"churned"')), null, 'new rules');
select is(tests.members('Customers'), array['Acme.Mei', 'Acme.Siti'], 'leave the pins');
select tests.error_for('acme.owner', $$ select delete_contact(tests.id('acme.mei')) $$);
select is(tests.members('Customers'), array['Acme.Siti'], 'the trash is stronger');
select tests.error_for('acme.owner', $$ select restore_contact(tests.id('acme.mei')) $$);
select is(tests.members('Customers'), array['Acme.Mei', 'Acme.Siti'], 'the pin waits there');
select is(tests.pin('Customers', 'acme.mei', null), null, 'taken away');
select is(tests.members('Customers'), array['Acme.Siti'], 'the rules decide again');
select is(tests.pin('Customers', 'acme.mei', 'maybe'), 'SEGMENT_007', 'there are two kinds');
select is(tests.pin('Customers', 'globex.siti', 'include'), 'CONTACT_001', 'of contacts of one''s own');
select is(tests.pin('Customers', 'acme.mei', 'include', u), e, u) from (values ('acme.agent', 'AUTH_003'), ('acme.viewer', 'AUTH_003'), ('globex.owner', 'SEGMENT_001'), ('stranger', 'SEGMENT_001')) v (u, e);

-- Lists.
select is(tests.error_for('acme.campaign_manager', format('select create_segment(tests.id(''acme''), ''List'', ''static'', null, %L)',
    jsonb_build_object('ids', jsonb_build_array(tests.id('acme.siti'), tests.id('acme.ravi'))))), null, 'a list is made of a selection');
select is(tests.members('List'), array['Acme.Ravi', 'Acme.Siti'], 'as it is now');
select is((tests.segment('List')).member_count, 2, 'counted');
select is(tests.pin('List', 'acme.mei', 'include'), null, 'one more');
select is(tests.pin('List', 'acme.ravi', null), null, 'one less');
select is(tests.pin('List', 'acme.ravi', 'exclude'), 'SEGMENT_007', 'a list has nobody to keep out');
select is(tests.rewrite('List', '{"all": []}'), 'SEGMENT_007', 'and no rules');
select is(tests.members('List'), array['Acme.Mei', 'Acme.Siti'], 'as people made it');
select tests.make_segment('On the list', tests.within('List'));
select tests.error_for('acme.owner', $$ select delete_contact(tests.id('acme.mei')) $$);
select is(tests.members('List'), array['Acme.Siti'], 'the trash is on no list');
select is(tests.members('On the list'), array['Acme.Siti'], 'nor in what is built on it');
select tests.error_for('acme.owner', $$ select restore_contact(tests.id('acme.mei')) $$);
select is(tests.members('On the list'), array['Acme.Mei', 'Acme.Siti'], 'until it is restored');
delete from public.contacts where id = tests.id('acme.mei');
select is(tests.members('On the list'), array['Acme.Siti'], 'a contact that is gone');
select is((select count(*) from public.segment_pins where contact_id = tests.id('acme.mei')), 0::bigint, 'is pinned nowhere');

-- More contacts than a maker waits for: left to the worker.
create or replace function private.is_small_organization(p_org_id uuid) returns boolean language sql stable set search_path = '' as 'select false';
select tests.make_segment('Large', '{"all": []}'), tests.make_segment('Larger', tests.within('Customers'));
select is((tests.segment('Large')).evaluated_at, null, 'still being counted');
select is(tests.members('Large'), array['Acme.Ravi', 'Acme.Siti'], 'by the worker');
select is((tests.segment('Large')).evaluated_at, private.clock(), 'done');
select is(tests.segment_events('Large'), '{}', 'silently');
select is(tests.rewrite('Customers', '{"all": []}'), null, 'an edit');
select is((tests.segment('Customers')).evaluated_at, null, 'waits too');
select is(tests.members('Larger'), array['Acme.Ravi', 'Acme.Siti'], 'and what is above it');

select * from finish();
rollback;
