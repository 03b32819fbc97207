-- Every function × every caller, and every call of the API with somebody else's ids: refused, and not a row changed.

begin;
\ir ../pgtap/helpers/load.sql
\ir helpers/callers.sql
\ir helpers/fingerprint.sql
select no_plan();
select tests.make_world(), tests.make_rows('acme'), tests.make_rows('globex'), tests.make_callers();
insert into tests.callers values ('the worker', 'octopush_worker', '{}'), ('the service role', 'service_role', '{"role": "service_role"}');

create view tests.functions as
select p.oid, n.nspname as schema, p.proname as name, p.oid::regprocedure::text as signature,
    -- A call with nothing in it: whoever may not execute the function is told so before anything else.
    format('select %I.%I(%s)', n.nspname, p.proname,
        (select string_agg(format('null::%s.%I', t.typnamespace::regnamespace, t.typname), ', ' order by a.nth)
            from unnest(p.proargtypes) with ordinality as a (id, nth) join pg_catalog.pg_type t on t.oid = a.id)) as call
from pg_catalog.pg_proc p join pg_catalog.pg_namespace n on n.oid = p.pronamespace
where n.nspname in ('public', 'private', 'worker') and p.prokind = 'f';

-- Who may execute what.
create function tests.may_execute(p_role text, p_schema text, p_name text) returns boolean language sql as $$
    select case p_schema
        when 'public' then p_role = 'authenticated'
        when 'worker' then p_role = 'octopush_worker'
        when 'private' then p_role in ('authenticated', 'service_role') and p_name in ('my_org_ids', 'my_orgs_with', 'my_colleague_ids', 'may_hear')
    end
$$;
create function tests.knock(p_caller text, p_call text) returns boolean language plpgsql as $$
declare
    v_outcome jsonb;
begin
    perform tests.become(p_caller);
    begin
        v_outcome := tests.outcome(p_call);
        raise exception sqlstate 'UNDO0';
    exception when sqlstate 'UNDO0' then
        null;
    end;
    perform tests.logout();
    return v_outcome ->> 'code' is distinct from '42501' or v_outcome ->> 'message' !~ '^permission denied for (function|schema)';
end
$$;
select is(tests.knock(c.name, f.call), tests.may_execute(c.role, f.schema, f.name),
    format('%s %s execute %s', c.name, case when tests.may_execute(c.role, f.schema, f.name) then 'may' else 'may not' end, f.signature))
from tests.callers c, tests.functions f;

-- With acme's ids: who is not in acme gets an error, and nothing changes for anybody.
create temporary table trials on commit drop as
select c.name as caller, k.function_name, e.code, e.changed_anything, e.changed_guarded
from tests.callers c cross join tests.calls k
cross join lateral tests.effect(c.name, replace(k.statement, '{org}', 'acme'), 'acme') e
where c.org is distinct from 'acme' and c.role in ('authenticated', 'anon');
select isnt(t.code, null, format('%s: %s is refused', t.caller, t.function_name)) from trials t
-- Whoever has no organisation may make one; whoever has a profile may change it.
where not (t.function_name = 'complete_onboarding' and t.caller in ('a stranger', 'a stranger with forged claims', 'a removed member'))
    and not (t.function_name = 'update_profile' and (t.caller like 'globex%' or t.caller = 'a removed member'));
select is(t.changed_anything, false, format('%s: %s changes nothing', t.caller, t.function_name)) from trials t where t.code is not null;
select is(t.changed_guarded, false, format('%s: %s changes nothing of acme', t.caller, t.function_name)) from trials t where t.code is null;
select matches(t.code, '^(AUTH|ORG|CONTACT|FIELD|SEGMENT|JOB|TAG|CONVERSATION|MESSAGE|WA|TEMPLATE|CAMPAIGN|OPPORTUNITY)_\d{3}$', format('%s: %s answers with a code of the catalogue', t.caller, t.function_name))
from trials t join tests.callers c on c.name = t.caller where t.code is not null and c.role = 'authenticated';
select is(t.code, '42501', format('%s: %s is out of reach', t.caller, t.function_name))
from trials t join tests.callers c on c.name = t.caller where c.role = 'anon';

-- Members with few rights, in their own organisation: a viewer changes nothing, an agent touches neither many contacts at once nor segments.
create temporary table within on commit drop as
select c.member_role, k.function_name, k.needed, e.code, e.changed_anything
from tests.callers c cross join tests.calls k
cross join lateral tests.effect(c.name, replace(k.statement, '{org}', 'acme'), 'acme') e
where c.name in ('acme viewer', 'acme agent');
select is(w.changed_anything, false, format('a viewer changes nothing by %s', w.function_name)) from within w
-- What is one's own.
where w.member_role = 'viewer' and w.function_name not in ('update_profile', 'mark_notifications_read');
select is(w.code, 'AUTH_003', format('a viewer may not %s', w.function_name)) from within w where w.member_role = 'viewer' and w.needed not in ('self', 'read');
select is(w.code, 'AUTH_003', format('an agent may not %s', w.function_name)) from within w
where w.member_role = 'agent' and w.needed not in ('self', 'read', 'contacts', 'answer');
select is(w.changed_anything, false, format('an agent changes nothing by %s', w.function_name)) from within w
where w.member_role = 'agent' and w.needed not in ('self', 'read', 'contacts', 'answer');
select bag_has(
    $$ select function_name from within where member_role = 'agent' and code = 'AUTH_003' $$,
    $$ select unnest(array['create_import', 'inspect_import', 'preview_import', 'start_import', 'cancel_job', 'create_export', 'export_contact', 'change_contacts',
        'merge_contacts', 'erase_contact', 'create_segment', 'update_segment', 'delete_segment', 'pin_segment_contacts']) $$,
    'import, export, bulk changes, merging and segments are not for agents'
);

-- With some ids of acme's and some of globex's, in every mixture: acme's owner changes nothing of globex, and no row of acme comes to name
-- anything of globex.
create function tests.mixtures(p_statement text) returns setof text language plpgsql as $$
declare
    v_parts text[] := string_to_array(p_statement, '{org}');
    v_places integer := array_length(v_parts, 1) - 1;
    v_mixed text;
begin
    for v_mask in 1..(1 << v_places) - 1 loop
        v_mixed := v_parts[1];
        for i in 1..v_places loop
            v_mixed := v_mixed || case when v_mask & (1 << (i - 1)) > 0 then 'globex' else 'acme' end || v_parts[i + 1];
        end loop;
        return next v_mixed;
    end loop;
end
$$;
create temporary table wanted on commit drop as
select k.function_name, regexp_replace(m, '\s+', ' ', 'g') as statement from tests.calls k, tests.mixtures(k.statement) m
union all
select v.name, regexp_replace(v.statement, '\s+', ' ', 'g') from (values
    ('set_contact_tags', $$ select set_contact_tags(tests.id('acme.siti'), array[tests.id('globex.tag')]) $$),
    ('create_segment', $$ select create_segment(tests.id('acme'), 'x', 'dynamic', tests.rule('tags', 'has_any_of', jsonb_build_array(tests.id('globex.tag')))) $$),
    ('create_segment', $$ select create_segment(tests.id('acme'), 'x', 'dynamic', tests.rule('segment', 'is_in', to_jsonb(tests.id('globex.segment')))) $$),
    ('create_segment', $$ select create_segment(tests.id('acme'), 'x', 'static', null, jsonb_build_object('ids', jsonb_build_array(tests.id('globex.siti')))) $$),
    ('pin_segment_contacts', $$ select pin_segment_contacts(tests.id('acme.list'), array[tests.id('globex.siti')], null) $$),
    ('preview_segment', $$ select preview_segment(tests.id('acme'), tests.rule('segment', 'is_in', to_jsonb(tests.id('globex.segment')))) $$),
    ('change_contacts', $$ select change_contacts(tests.id('acme'), jsonb_build_object('ids', jsonb_build_array(tests.id('globex.siti'))), '{"action": "delete"}') $$),
    ('change_contacts', $$ select change_contacts(tests.id('acme'), '{}', jsonb_build_object('action', 'add_tags', 'tag_ids', jsonb_build_array(tests.id('globex.tag')))) $$),
    ('create_contact', $$ select create_contact(tests.id('acme'), jsonb_build_object('phone', '+60199998888', 'tag_ids', jsonb_build_array(tests.id('globex.tag')))) $$),
    ('create_import', $$ select create_import(tests.id('acme'), tests.id('acme') || '/../' || tests.id('globex') || '/upload/people.csv', 'people.csv') $$),
    ('start_import', $$ select start_import(tests.id('acme.import'), '[{"index": 0, "field": "phone"}]',
        jsonb_build_object('tag_ids', jsonb_build_array(tests.id('globex.tag')))) $$),
    ('send_message', $$ select send_message(tests.id('acme.thread'), 'a-quoting-key', 'text', 'x', null, tests.id('globex.hello')) $$),
    ('mark_notifications_read', $$ select mark_notifications_read(tests.id('acme'),
        array(select tests.id('globex.notification.' || r || tests.id('globex.' || r)) from unnest(array['owner', 'admin', 'agent']) r)) $$),
    ('record_opportunity', $$ select record_opportunity(tests.id('acme.siti'), jsonb_build_object('campaign_id', tests.id('globex.campaign'))) $$),
    ('create_template', $$ select create_template(tests.id('acme'), '{"name": "theirs", "waba_id": "91002"}') $$),
    ('update_template', $$ select update_template(tests.id('acme.draft'), '{"waba_id": "91002"}', (tests.template('acme.draft')).updated_at) $$),
    ('create_template', $$ select create_template(tests.id('acme'), jsonb_build_object('name', 'theirs', 'components', jsonb_build_array(jsonb_build_object('type', 'HEADER',
        'format', 'IMAGE', 'media', jsonb_build_object('path', tests.id('globex') || '/' || tests.id('x') || '/a.png', 'mime', 'image/png'))))) $$),
    ('create_campaign', $$ select create_campaign(tests.id('acme'), jsonb_build_object('name', 'x', 'whatsapp_account_id', tests.id('globex.number'))) $$),
    ('create_campaign', $$ select create_campaign(tests.id('acme'), jsonb_build_object('name', 'x', 'audience', jsonb_build_object('segment_id', tests.id('globex.segment')))) $$),
    ('create_campaign', $$ select create_campaign(tests.id('acme'), jsonb_build_object('name', 'x', 'variants',
        jsonb_build_array(jsonb_build_object('template_id', tests.id('globex.hello'))))) $$),
    -- A draft keeps what somebody wrote; a launch finds nobody by it.
    ('launch_campaign', $$ select launch_campaign(c.id) from update_campaign(tests.id('acme.plan'),
        jsonb_build_object('audience', jsonb_build_object('ids', jsonb_build_array(tests.id('globex.siti')))),
        (select p.updated_at from public.campaigns p where p.id = tests.id('acme.plan'))) c $$),
    ('send_message', $$ select send_message(tests.id('acme.thread'), 'a-template-key', 'template', null,
        jsonb_build_object('template_id', tests.id('globex.hello'), 'values', '{"body.1": "x"}'::jsonb)) $$),
    ('update_contact', $$ select update_contact(tests.id('acme.siti'), jsonb_build_object('org_id', tests.id('globex')),
        (tests.contact('acme.siti')).updated_at) $$),
    ('create_contact', $$ select create_contact(tests.id('acme'), jsonb_build_object('phone', '+60199998888', 'org_id', tests.id('globex'))) $$),
    ('create_contact', $$ select create_contact(tests.id('acme'), jsonb_build_object('phone', '+60199998888', 'id', tests.id('globex.siti'))) $$),
    ('connect_whatsapp_account', $$ select connect_whatsapp_account(tests.id('acme'), '91002', '1002', 'a-new-token') $$)
) v (name, statement);
create temporary table mixed on commit drop as
select w.*, e.* from wanted w cross join lateral tests.effect('acme owner', w.statement, 'globex', 'acme') e;
select cmp_ok((select count(*) from mixed), '>', 50::bigint, 'there are mixtures');
select is(m.changed_guarded, false, 'changes nothing of globex:' || m.statement) from mixed m;
select is(m.mentions, '{}', 'names nothing of globex:' || m.statement) from mixed m;
select is(m.changed_anything, false, 'refused, so nothing changed:' || m.statement) from mixed m where m.code is not null;

-- What the helpers of policies answer.
select is(
    tests.ask(c.name, 'select coalesce(array_length(private.my_org_ids(), 1), 0)'),
    case when c.role = 'anon' then '!42501' when c.org is not null then '1' else '0' end, format('organisations of %s', c.name)
) from tests.callers c where c.role in ('authenticated', 'anon');
select is(
    tests.ask(c.name, format('select private.my_orgs_with(%L)::text', 'organization.own')),
    case when c.role = 'anon' then '!42501' when c.member_role = 'owner' then format('{%s}', tests.id(c.org)) else '{}' end,
    format('organisations owned by %s', c.name)
) from tests.callers c where c.role in ('authenticated', 'anon');

-- The instruments work: they see what goes through, and what a hole would let through.
select results_eq(
    $$ select code, changed_anything, changed_guarded from tests.effect('acme owner', $q$ select create_tag(tests.id('acme'), 'X') $q$, 'acme') $$,
    $$ values (null::text, true, true) $$, 'a change is seen'
);
select is((select mentions from tests.effect('acme owner', $$ select tests.logout(); update public.messages set sent_by = tests.id('globex.owner')
    where org_id = tests.id('acme') $$, 'globex', 'acme')), array['public.messages'], 'a stranger''s id is seen');
create or replace function private.require_permission(p_org_id uuid, p_permission text) returns void language sql stable set search_path = '' as '';
select results_eq(
    $$ select code, changed_guarded from tests.effect('a stranger', $q$ select create_tag(tests.id('acme'), 'X') $q$, 'acme') $$,
    $$ values (null::text, true) $$, 'a function that forgets to ask is seen'
);
create or replace function private.my_org_ids() returns uuid[] language sql stable security definer set search_path = ''
    as 'select array_agg(id) from public.organizations';
select is(tests.ask('a stranger', 'select count(*) > 0 from public.contacts'), 'true', 'a helper that says too much is seen');

select * from finish();
rollback;
