-- From a verified sign-up to an organisation of one's own.

begin;
\ir helpers/load.sql
select plan(29);

select tests.create_user('aina', 'Aina@Example.Test');
select tests.create_user('unverified', p_verified => false);

select is(tests.error_for('unverified', $$ select complete_onboarding('U', 'U Sdn Bhd') $$), 'AUTH_004', 'an unverified address cannot onboard');
select is(tests.error_for('nobody', $$ select complete_onboarding('N', 'N Sdn Bhd') $$), 'AUTH_002', 'nor a token of a user who is gone');

select tests.login_as('aina');
select is(tests.details_of($$ select complete_onboarding('Aina', '   ') $$) ->> 'field', 'name', 'an organisation needs a name');
select is(tests.error_of($$ select complete_onboarding('Aina', null) $$), 'ORG_005', 'null is no name');
select is(tests.error_of($$ select complete_onboarding('Aina', repeat('x', 121)) $$), 'ORG_005', '121 characters are too many');
select is(tests.details_of($$ select complete_onboarding('Aina', 'Kedai', 'Malaysia') $$) ->> 'field', 'country', 'a country is two letters');
select is(tests.details_of($$ select complete_onboarding('Aina', 'Kedai', 'my') $$) ->> 'field', 'country', 'capital letters');
select is(
    tests.details_of($$ select complete_onboarding('Aina', 'Kedai', 'MY', 'Asia/Atlantis') $$) ->> 'field', 'time_zone',
    'a time zone must exist'
);
select is(tests.error_of($$ select complete_onboarding('Aina', 'Kedai', 'MY', null) $$), 'ORG_005', 'null is no time zone');
select is((select count(*) from public.organizations), 0::bigint, 'what was refused left nothing behind');

create temporary table made on commit drop as select complete_onboarding('  Aina binti Ali ', ' Kedai Aina ') as org_id;
select is(
    (select row (o.name, o.country, o.time_zone)::text from public.organizations o join made on o.id = made.org_id),
    '("Kedai Aina",MY,Asia/Kuala_Lumpur)', 'the organisation is visible to its owner, trimmed, with the defaults'
);
select results_eq(
    $$ select m.user_id, m.role from public.org_memberships m join made using (org_id) $$,
    $$ values (tests.id('aina'), 'owner') $$, 'who onboards is the owner'
);
select results_eq(
    $$ select p.full_name, p.email from public.profiles p $$, $$ values ('Aina binti Ali', 'aina@example.test') $$,
    'the profile carries the name and the verified address in lower case'
);
select is(tests.error_of($$ select complete_onboarding('Aina', 'Another') $$), 'ORG_002', 'a person onboards once');
select is((tests.outcome($$ select complete_onboarding('Aina', 'Another') $$) ->> 'status')::integer, 409, 'which is a conflict');
select is((select count(*) from public.organizations), 1::bigint, 'and makes no second organisation');
select is((select p.full_name from public.profiles p), 'Aina binti Ali', 'nor changes the profile');
select tests.logout();
select results_eq(
    $$ select kind, actor_id from public.activity_log $$, $$ values ('organization.created', tests.id('aina')) $$,
    'the feed begins with it'
);

select is(
    tests.error_for('aina', $$ select update_organization((select org_id from made), 'Kedai Baru', 'SG', 'Asia/Singapore') $$), null,
    'the owner changes the settings'
);
select results_eq(
    $$ select name, country, time_zone from public.organizations $$, $$ values ('Kedai Baru', 'SG', 'Asia/Singapore') $$,
    'and they are kept'
);
select is(
    tests.error_for('aina', $$ select update_organization((select org_id from made), 'Kedai', 'XXX', 'Asia/Singapore') $$), 'ORG_005',
    'under the same rules'
);
select is(tests.error_for('aina', $$ select update_profile(repeat('n', 200)) $$), null, 'a person renames herself');
select is((select length(full_name) from public.profiles), 120, 'a name is cut at 120 characters');
select is(tests.error_for('nobody', $$ select update_profile('x') $$), 'AUTH_002', 'without a profile there is nothing to rename');

select is(
    tests.error_for('aina', $$ select delete_organization((select org_id from made), 'Kedai Lama') $$), 'ORG_005',
    'deleting asks for the right name'
);
select is(
    tests.error_for('aina', $$ select delete_organization((select org_id from made), 'Kedai Baru') $$), null, 'the owner deletes the organisation'
);
select is(tests.count_for('aina', $$ select from public.organizations $$), 0::bigint, 'nobody sees it any more');
select is(
    tests.error_for('aina', $$ select update_organization((select org_id from made), 'Kedai', 'MY', 'Asia/Singapore') $$), 'ORG_001',
    'nor can change it'
);
select is(tests.error_for('aina', $$ select complete_onboarding('Aina', 'Kedai Kedua') $$), null, 'and its owner may start again');

select * from finish();
rollback;
