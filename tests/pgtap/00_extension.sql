-- The extension octopush as SQL sees it: names, types, volatility, nulls, and who may call it.
-- Needs only the extension; the rules themselves are tested in extension/rules.

begin;
set local search_path = extensions, public;

select plan(31);

select has_extension('octopush'::name);
select is(
    (select n.nspname from pg_catalog.pg_extension e join pg_catalog.pg_namespace n on n.oid = e.extnamespace where e.extname = 'octopush'),
    'octopush'::name,
    'the extension lives in its own schema'
);
select is_empty(
    $$
        select d.objid from pg_catalog.pg_depend d join pg_catalog.pg_extension e on e.oid = d.refobjid
        where e.extname = 'octopush' and d.deptype = 'e' and d.classid = 'pg_catalog.pg_class'::regclass
    $$,
    'the extension owns no table, which pg_dump would miss'
);

select function_returns('octopush', 'version', '{}'::name[], 'text');
select function_returns('octopush', 'uuid_v7', '{}'::name[], 'uuid');
select function_returns('octopush', 'normalize_phone', array['text', 'text']::name[], 'text');
select function_returns('octopush', 'error_catalog', '{}'::name[], 'setof record');
select volatility_is('octopush', 'version', '{}'::name[], 'immutable');
select volatility_is('octopush', 'uuid_v7', '{}'::name[], 'volatile');
select volatility_is('octopush', 'normalize_phone', array['text', 'text']::name[], 'immutable');
select volatility_is('octopush', 'error_catalog', '{}'::name[], 'immutable');
select is_empty(
    $$
        select p.proname from pg_catalog.pg_proc p
        where p.pronamespace = 'octopush'::regnamespace and p.proparallel <> 's'
    $$,
    'all functions are parallel safe'
);

select matches(octopush.version(), '^\d+\.\d+\.\d+$', 'version() is a release number');
select is(
    octopush.version(),
    (select e.extversion from pg_catalog.pg_extension e where e.extname = 'octopush'),
    'the loaded library is the release the catalogue says'
);

select is(octopush.normalize_phone('012-345 6789', 'MY'), '+60123456789', 'a local number takes the region');
select is(octopush.normalize_phone('+65 9123 4567', 'MY'), '+6591234567', 'an international number keeps its country');
select is(octopush.normalize_phone('+65 9123 4567', null), '+6591234567', 'an international number needs no region');
select is(octopush.normalize_phone('012-345 6789', null), null, 'a local number needs a region');
select is(octopush.normalize_phone('012-345 67890', 'MY'), null, 'a digit too many is no number');
select is(octopush.normalize_phone('not a number', 'MY'), null, 'text is no number');
select is(octopush.normalize_phone(null, 'MY'), null, 'null is no number');
select is(octopush.normalize_phone(repeat('9', 1000000), 'MY'), null, 'a megabyte is no number');

create temporary table made on commit drop as
select i, octopush.uuid_v7() as id from generate_series(1, 2000) i;
select is((select count(distinct id) from made), 2000::bigint, 'ids are distinct');
select is(
    (select array_agg(i order by id) from made), (select array_agg(i order by i) from made), 'ids sort in the order they were made'
);
select is((select count(*) from made where substr(id::text, 15, 1) <> '7'), 0::bigint, 'ids are version 7');

select cmp_ok((select count(*) from octopush.error_catalog()), '>', 40::bigint, 'the catalogue is filled');
select is(
    (select count(*) from octopush.error_catalog()), (select count(distinct code) from octopush.error_catalog()), 'codes are unique'
);
select results_eq(
    $$ select http_status from octopush.error_catalog() where code in ('CONTACT_001', 'CONTACT_002') order by code $$,
    array[404, 409],
    'codes carry their HTTP status'
);
select is_empty(
    $$ select code from octopush.error_catalog() where message is null or message = '' or hint is null or hint = '' $$,
    'every code has a message and a hint'
);

create role octopush_test_nobody;
select ok(has_schema_privilege('octopush_test_nobody', 'octopush', 'usage'), 'any role can reach the functions');
select ok(not has_schema_privilege('octopush_test_nobody', 'octopush', 'create'), 'no role can add to the schema');

select * from finish();
rollback;
