-- Fields of an organisation's own, and their values (design §6).

begin;
\ir helpers/load.sql
select plan(46);
select tests.make_world();

create function tests.field(p_label text, p_type text, p_options text[] default '{}', p_key text default null) returns text language sql as $$
    select tests.error_for('acme.admin', format('select create_custom_field(%L, %L, %L, %L, %L)', tests.id('acme'), p_label, p_type, p_options, p_key))
$$;
create function tests.field_id(p_key text) returns uuid language sql security definer as $$
    select d.id from public.custom_field_definitions d where d.org_id = tests.id('acme') and d.key = p_key
$$;
create function tests.value_error(p_values jsonb) returns jsonb language plpgsql as $$
declare
    v_outcome jsonb;
begin
    perform tests.login_as('acme.agent');
    v_outcome := tests.outcome(format('select update_contact(%L, %L, %L)', tests.id('acme.siti'), jsonb_build_object('custom_fields', p_values),
        (tests.contact('acme.siti')).updated_at));
    perform tests.logout();
    return v_outcome;
end
$$;
create function tests.put(p_values jsonb) returns text language sql as $$ select tests.value_error(p_values) ->> 'code' $$;

-- Definitions.
select is(tests.field(' Membership  Tier ', 'choice', array['Gold', ' Silver ']), null, 'a field is made');
select results_eq(
    $$ select key, label, type, options, position from public.custom_field_definitions $$,
    $$ values ('membership_tier', 'Membership  Tier', 'choice', array['Gold', 'Silver'], 0) $$, 'its key comes from the label'
);
select is(tests.field('membership  TIER', 'text'), 'FIELD_004', 'a label is there once, whatever its case');
select is(tests.field('Membership-Tier', 'text'), null, 'a label that would make the same key');
select ok(tests.field_id('membership_tier_2') is not null, 'gets a numbered one');
select is(tests.field('会员', 'text'), null, 'a label without a Latin letter');
select ok(tests.field_id('field') is not null, 'has a key, too');
select is(tests.field('Points', 'number', '{}', 'loyalty'), null, 'a key can be chosen');
select is(tests.field('Other points', 'number', '{}', 'loyalty'), 'FIELD_004', 'once');
select is(tests.field(label, type, options::text[], key), 'FIELD_003', format('refused: %s %s %s %s', label, type, options, key)) from (values
    ('', 'text', '{}', null), (null, 'text', '{}', null), (repeat('x', 81), 'text', '{}', null), ('A', 'colour', '{}', null), ('A', null, '{}', null),
    ('A', 'choice', '{}', null), ('A', 'text', '{x}', null), ('A', 'choice', '{x,X}', null), ('A', 'choice', '{x,""}', null),
    ('A', 'choice', '{x,NULL}', null), ('A', 'text', '{}', 'Not a key'), ('A', 'text', '{}', '1a')
) v (label, type, options, key);
select is(tests.error_for('acme.campaign_manager', $$ select create_custom_field(tests.id('acme'), 'X', 'text') $$), 'AUTH_003', 'campaign managers use them only');
select is(tests.error_for('globex.owner', $$ select archive_custom_field(tests.field_id('loyalty')) $$), 'FIELD_001', 'strangers find none');
select is(tests.error_for('globex.owner', $$ select create_custom_field(tests.id('acme'), 'X', 'text') $$), 'ORG_001', 'and make none');
select is(tests.count_for('globex.owner', 'select from public.custom_field_definitions'), 0::bigint, 'nor see any');

-- Values.
select tests.field('Since', 'date'), tests.field('Wholesale', 'boolean'), tests.field('Allergies', 'multi_choice', array['Nuts', 'Milk']), tests.field('Hint', 'text');
select is(tests.put('{"membership_tier": "Gold", "loyalty": 12.5, "since": "2024-02-29", "wholesale": true, "allergies": ["Milk", "Nuts"], "hint": "rings twice"}'),
    null, 'values of every type are kept');
select is(
    (tests.contact('acme.siti')).custom_fields,
    '{"membership_tier": "Gold", "loyalty": 12.5, "since": "2024-02-29", "wholesale": true, "allergies": ["Nuts", "Milk"], "hint": "rings twice"}'
        || jsonb_build_object('allergies', (tests.contact('acme.siti')).custom_fields -> 'allergies'), 'as they are'
);
select is(tests.value_error(values::jsonb) ->> 'code', 'CONTACT_007', 'refused: ' || values) from (values
    ('{"membership_tier": "Bronze"}'), ('{"loyalty": "many"}'), ('{"since": "2023-02-29"}'), ('{"wholesale": "perhaps"}'),
    ('{"allergies": ["Dust"]}'), ('{"hint": {"a": 1}}'), ('{"nothing_such": 1}'), ('[]'), ('"text"')
) v (values);
select is((tests.value_error('{"loyalty": "many"}') ->> 'details')::jsonb ->> 'field', 'custom.loyalty', 'the details name the field');
select isnt((tests.value_error('{"loyalty": "many"}') ->> 'details')::jsonb ->> 'problem', null, 'and say what is wrong');
select is(tests.put('{"loyalty": null, "hint": "new"}'), null, 'null');
select is((tests.contact('acme.siti')).custom_fields - '{allergies,membership_tier,since,wholesale}'::text[], '{"hint": "new"}', 'clears a value, others stay');

-- Archived.
select tests.error_for('acme.owner', $$ select archive_custom_field(tests.field_id('hint')) $$);
select is(tests.put('{"hint": "newer"}'), 'CONTACT_007', 'an archived field takes no new value');
select is(tests.put('{"hint": "new", "loyalty": 1}'), null, 'what a form sends back unchanged is fine');
select is(tests.put('{"hint": null}'), null, 'and it may be cleared');
select tests.field('Hint', 'text');
select is(tests.error_for('acme.owner', $$ select restore_custom_field(tests.field_id('hint')) $$), 'FIELD_004', 'it stays away while another has its name');

select tests.field('Field number ' || i, 'text') from generate_series(1, 92) i;
select is((select count(*) from public.custom_field_definitions d where d.archived_at is null), 100::bigint, 'a hundred fields');
select is(tests.field('One more', 'text'), 'FIELD_002', 'are all there can be');

select * from finish();
rollback;
