-- Invitations: made by who may, accepted by the invited address only, once, within a week.

begin;
\ir helpers/load.sql
select plan(30);
select tests.make_world();
select tests.create_user('ravi', 'Ravi@Example.Test');
select tests.create_user('unverified', 'unverified@example.test', false);

-- The token of the newest invitation, as the caller of invite_member got it.
create temporary table link (token text) on commit drop;
grant all on link to public;
create function tests.invite(p_email text, p_role text, p_user text default 'acme.owner') returns text language plpgsql as $$
declare
    v_token text;
begin
    perform tests.login_as(p_user);
    select i.token into v_token from invite_member(tests.id('acme'), p_email, p_role) i;
    perform tests.logout();
    return v_token;
end
$$;

select is(tests.error_for('acme.owner', $$ select invite_member(tests.id('acme'), 'no address', 'agent') $$), 'ORG_008', 'an address is needed');
select is(tests.error_for('acme.owner', $$ select invite_member(tests.id('acme'), null, 'agent') $$), 'ORG_008', 'null is none');
select is(tests.error_for('acme.owner', $$ select invite_member(tests.id('acme'), 'a@b.test', 'owner') $$), 'ORG_007', 'nobody is invited as owner');
select is(tests.error_for('acme.owner', $$ select invite_member(tests.id('acme'), 'a@b.test', 'king') $$), 'ORG_007', 'nor in an unknown role');
select is(
    tests.error_for('acme.owner', $$ select invite_member(tests.id('acme'), 'Acme.Agent@people.test', 'viewer') $$), 'ORG_002',
    'a member is not invited again, however the address is written'
);

insert into link select tests.invite('  RAVI@example.test ', 'agent', 'acme.admin');
select matches((select token from link), '^[0-9a-f]{64}$', 'the token has 256 bits');
select results_eq(
    $$ select email, role, invited_by from public.org_invitations $$,
    $$ values ('ravi@example.test', 'agent', tests.id('acme.admin')) $$, 'the invitation is kept with a clean address'
);
select is(
    (select count(*) from public.org_invitations where token_hash = sha256(convert_to((select token from link), 'utf8'))), 1::bigint,
    'of the token only the SHA-256 is kept'
);

select is(tests.error_for('ravi', $$ select accept_invitation('0000') $$), 'ORG_003', 'a wrong token is refused');
select is(tests.error_for('ravi', $$ select accept_invitation(null) $$), 'ORG_003', 'so is none');
select is(tests.error_for('stranger', $$ select accept_invitation((select token from link)) $$), 'ORG_003', 'a right token in the wrong hands too');
select tests.login_as('stranger');
select is(
    tests.outcome($$ select accept_invitation('0000') $$), tests.outcome($$ select accept_invitation((select token from link)) $$),
    'and is told the same'
);
select tests.logout();
select is(tests.error_for('ravi', $$ select accept_invitation((select token from link)) $$), null, 'the invited person joins');
select is(
    (select role from public.org_memberships where org_id = tests.id('acme') and user_id = tests.id('ravi')), 'agent', 'in the role of the invitation'
);
select is((select email from public.profiles where user_id = tests.id('ravi')), 'ravi@example.test', 'with a profile');
select is(tests.count_for('ravi', 'select from public.conversations'), 1::bigint, 'and reads the organisation''s conversations');
select is(tests.error_for('ravi', $$ select accept_invitation((select token from link)) $$), 'ORG_003', 'the link works once');
select is((tests.activities('acme'))[1:2], array['member.invited', 'member.joined'], 'both are in the feed');
select is(tests.error_for('ravi', $$ select complete_onboarding('Ravi', 'Own') $$), 'ORG_002', 'who joined has onboarded');
select is(tests.error_for('acme.owner', $$ select invite_member(tests.id('acme'), 'ravi@example.test', 'admin') $$), 'ORG_002', 'a new member is a member');

-- A second invitation replaces the first.
update link set token = tests.invite('unverified@example.test', 'viewer');
create temporary table old_link on commit drop as select token from link;
update link set token = tests.invite('unverified@example.test', 'admin');
select is(
    (select array_agg(role order by id) from public.org_invitations where revoked_at is null and accepted_at is null), array['admin'],
    'only the newest invitation of an address is open'
);
select is(
    tests.error_for('unverified', $$ select accept_invitation((select token from link)) $$), 'AUTH_004', 'an unverified address cannot join'
);
update auth.users set email_confirmed_at = now() where id = tests.id('unverified');
grant select on old_link to public;
select is(tests.error_for('unverified', $$ select accept_invitation((select token from old_link)) $$), 'ORG_003', 'the replaced link is dead');

-- Revoking and running out.
select is(
    tests.error_for('globex.owner', $$ select revoke_invitation((select id from public.org_invitations where revoked_at is null and accepted_at is null)) $$),
    'ORG_003', 'another organisation cannot even see it'
);
select set_config('tests.now', (now() + interval '7 days 1 second')::text, true);
select is(tests.error_for('unverified', $$ select accept_invitation((select token from link)) $$), 'ORG_003', 'after a week the link is dead');
select set_config('tests.now', (now() + interval '6 days 23 hours')::text, true);
select is(
    tests.error_for('acme.agent', $$ select revoke_invitation(tests.id('none')) $$), 'ORG_003', 'an unknown invitation is not found'
);
select tests.login_as('acme.owner');
select is(
    tests.error_of($$ select revoke_invitation(i.id) from public.org_invitations i where i.revoked_at is null and i.accepted_at is null $$), null,
    'the owner revokes it'
);
select tests.logout();
select is(tests.error_for('unverified', $$ select accept_invitation((select token from link)) $$), 'ORG_003', 'then it is dead at once');
update link set token = tests.invite('unverified@example.test', 'viewer');
update public.organizations set deleted_at = now() where id = tests.id('acme');
select is(tests.error_for('unverified', $$ select accept_invitation((select token from link)) $$), 'ORG_003', 'nobody joins a deleted organisation');
update public.organizations set deleted_at = null where id = tests.id('acme');
select is(tests.error_for('unverified', $$ select accept_invitation((select token from link)) $$), null, 'an open one within the week works');

select * from finish();
rollback;
