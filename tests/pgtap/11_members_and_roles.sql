-- The permission matrix (every role × every function of the API), changes of members, and what each role sees.

begin;
\ir helpers/load.sql
select no_plan();
select tests.make_world(), tests.make_rows('acme'), tests.make_rows('globex');

select is_empty(
    $$
        select p.oid::regprocedure from pg_catalog.pg_proc p
        where p.pronamespace = 'public'::regnamespace and p.proname not in (select c.function_name from tests.calls c)
    $$,
    'every function of the API has a call in helpers/calls.sql'
);

-- design §4, written down again: the tests must not ask the code what the code should do.
create temporary table rights (needed text, roles text[]) on commit drop;
insert into rights values
    ('self', array['owner', 'admin', 'campaign_manager', 'agent', 'viewer']),
    ('read', array['owner', 'admin', 'campaign_manager', 'agent', 'viewer']),
    ('contacts', array['owner', 'admin', 'campaign_manager', 'agent']),
    ('delete', array['owner', 'admin', 'campaign_manager']),
    ('trash', array['owner', 'admin']),
    ('answer', array['owner', 'admin', 'agent']),
    ('tags', array['owner', 'admin', 'campaign_manager']),
    ('settings', array['owner', 'admin']),
    ('own', array['owner']),
    ('campaigns', array['owner', 'admin', 'campaign_manager']);

select is(
    tests.trial('acme.' || r.role, replace(c.statement, '{org}', 'acme')),
    case when r.role = any (m.roles) then c.expected else 'AUTH_003' end,
    format('%s: %s', r.role, c.function_name)
)
from unnest(array['owner', 'admin', 'campaign_manager', 'agent', 'viewer']) as r (role)
cross join tests.calls c join rights m using (needed)
order by c.function_name, r.role;

-- What each role reads.
select is(
    tests.count_for('acme.' || r.role, format('select from public.%I', t.name)), t.rows, format('%s reads %s', r.role, t.name)
)
from unnest(array['owner', 'admin', 'campaign_manager', 'agent', 'viewer']) as r (role)
cross join lateral (values
    ('contacts', case when r.role in ('owner', 'admin') then 3 else 2 end::bigint),
    ('org_invitations', case when r.role in ('owner', 'admin') then 1 else 0 end),
    ('whatsapp_events', case when r.role in ('owner', 'admin') then 1 else 0 end),
    ('org_memberships', 6), ('profiles', 6), ('organizations', 1), ('whatsapp_accounts', 1), ('tags', 1), ('contact_tags', 1),
    ('conversations', 1), ('conversation_list', 1), ('messages', 4), ('activity_log', 1), ('notifications', 1), ('campaigns', 6), ('campaign_recipients', 3),
    ('opportunities', 1), ('opportunity_list', 1)
) as t (name, rows);
select is(tests.error_for('acme.owner', 'select token_hash from public.org_invitations'), '42501', 'nobody reads the hash of an invitation');

-- Changing roles.
select is(
    tests.error_for('acme.admin', $$ select set_member_role(tests.id('acme'), tests.id('acme.agent'), 'admin') $$), null,
    'an admin makes an agent an admin'
);
select is(
    tests.error_for('acme.admin', $$ select set_member_role(tests.id('acme'), tests.id('acme.agent'), 'owner') $$), 'ORG_007',
    'nobody is made owner this way'
);
select is(
    tests.error_for('acme.owner', $$ select set_member_role(tests.id('acme'), tests.id('acme.agent'), 'boss') $$), 'ORG_007',
    'an unknown role is refused'
);
select is(
    tests.error_for('acme.owner', $$ select set_member_role(tests.id('acme'), tests.id('acme.agent'), null) $$), 'ORG_007', 'null too'
);
select is(
    tests.error_for('acme.admin', $$ select set_member_role(tests.id('acme'), tests.id('acme.owner'), 'viewer') $$), 'ORG_004',
    'the owner is not demoted'
);
select is(
    tests.error_for('acme.owner', $$ select set_member_role(tests.id('acme'), tests.id('stranger'), 'viewer') $$), 'ORG_006',
    'a stranger has no role to change'
);
select is(
    tests.error_for('acme.owner', $$ select remove_member(tests.id('acme'), tests.id('globex.agent')) $$), 'ORG_006',
    'a member of another organisation is no member here'
);

select tests.error_for('acme.owner', $$ select set_member_role(tests.id('acme'), tests.id('acme.agent'), 'agent') $$);
select is(
    tests.error_for('acme.owner', $$ select assign_conversation(tests.id('acme.thread'), tests.id('acme.agent')) $$), null,
    'a conversation is assigned to the agent'
);
select tests.error_for('acme.owner', $$ select set_member_role(tests.id('acme'), tests.id('acme.agent'), 'viewer') $$);
select is((tests.conversation('acme.thread')).assigned_to, null, 'who may no longer answer loses the assignments');
select is(
    tests.error_for('acme.agent', $$ select mark_conversation_read(tests.id('acme.thread')) $$), 'AUTH_003', 'the new role holds at once'
);

-- Leaving and being removed.
select is(tests.error_for('acme.viewer', $$ select remove_member(tests.id('acme'), tests.id('acme.viewer')) $$), null, 'anyone may leave');
select is(tests.count_for('acme.viewer', 'select from public.organizations'), 0::bigint, 'and sees nothing afterwards');
select is(tests.count_for('acme.viewer', 'select from public.notifications'), 0::bigint, 'not even old notifications');
select is(
    tests.error_for('acme.owner', $$ select remove_member(tests.id('acme'), tests.id('acme.owner')) $$), 'ORG_004',
    'the owner cannot leave the organisation without one'
);
select tests.error_for('acme.owner', $$ select assign_conversation(tests.id('acme.thread'), tests.id('acme.extra')) $$);
select is(
    tests.error_for('acme.admin', $$ select remove_member(tests.id('acme'), tests.id('acme.extra')) $$), null, 'an admin removes an agent'
);
select is((tests.conversation('acme.thread')).assigned_to, null, 'whose conversations are free again');
select is(
    tests.error_for('acme.extra', $$ select mark_conversation_read(tests.id('acme.thread')) $$), 'CONVERSATION_001',
    'the removed member is a stranger'
);

-- Handing over.
select is(
    tests.error_for('acme.owner', $$ select transfer_ownership(tests.id('acme'), tests.id('acme.admin')) $$), null, 'ownership is handed over'
);
select results_eq(
    $$ select user_id from public.org_memberships where org_id = tests.id('acme') and role = 'owner' $$,
    $$ values (tests.id('acme.admin')) $$, 'there is one owner'
);
select is(
    (select role from public.org_memberships where user_id = tests.id('acme.owner')), 'admin', 'the former owner is an admin'
);
select is(
    tests.error_for('acme.owner', $$ select transfer_ownership(tests.id('acme'), tests.id('acme.owner')) $$), 'AUTH_003',
    'and cannot take it back'
);
select is(
    tests.error_for('acme.admin', $$ select transfer_ownership(tests.id('acme'), tests.id('acme.admin')) $$), null,
    'handing over to oneself changes nothing'
);
select is(
    (select count(*) from public.org_memberships where org_id = tests.id('acme') and role = 'owner'), 1::bigint, 'there still is an owner'
);

-- Deleting the organisation takes its numbers with it.
select is(tests.error_for('acme.admin', $$ select delete_organization(tests.id('acme'), 'Acme') $$), null, 'the owner deletes it');
select is((select status from public.whatsapp_accounts where id = tests.id('acme.number')), 'disconnected', 'its number is disconnected');
select is((select status from public.messages where id = tests.id('acme.waiting')), 'failed', 'what waited to be sent failed');
select is((select status from public.whatsapp_accounts where id = tests.id('globex.number')), 'connected', 'other organisations go on');
select is_empty(
    $$ select o.id from public.organizations o where not exists (
        select from public.org_memberships m where m.org_id = o.id and m.role = 'owner') $$,
    'every organisation has an owner'
);

select * from finish();
rollback;
