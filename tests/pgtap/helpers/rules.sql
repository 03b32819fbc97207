-- What must be true of the schema, as queries over the catalogue that return the offenders. 90_schema_rules asks them,
-- 91_planted_faults proves that each can fail.

create table tests.rules (
    name text primary key,
    says text not null,
    offenders text not null
);

-- Policies that are not simply "rows of my organisations", as the server prints them.
create table tests.special_policies (
    table_name text primary key,
    expression text not null
);
insert into tests.special_policies values
    ('organizations', '(id = ANY (( SELECT private.my_org_ids() AS my_org_ids)::uuid[]))'),
    ('profiles', '((user_id = ( SELECT auth.uid() AS uid)) OR (user_id = ANY (( SELECT private.my_colleague_ids() AS my_colleague_ids)::uuid[])))'),
    ('org_invitations', '(org_id = ANY (( SELECT private.my_orgs_with(''settings.manage''::text) AS my_orgs_with)::uuid[]))'),
    ('whatsapp_events', '(org_id = ANY (( SELECT private.my_orgs_with(''settings.manage''::text) AS my_orgs_with)::uuid[]))'),
    ('contacts', '((org_id = ANY (( SELECT private.my_org_ids() AS my_org_ids)::uuid[])) AND ((deleted_at IS NULL) OR '
        '(org_id = ANY (( SELECT private.my_orgs_with(''contacts.trash''::text) AS my_orgs_with)::uuid[]))))'),
    ('jobs', '(org_id = ANY (( SELECT private.my_orgs_with(''contacts.bulk''::text) AS my_orgs_with)::uuid[]))'),
    ('notifications', '((user_id = ( SELECT auth.uid() AS uid)) AND (org_id = ANY (( SELECT private.my_org_ids() AS my_org_ids)::uuid[])))');

create view tests.our_tables as
select c.oid, n.nspname as schema, c.relname as name, c.relrowsecurity, c.oid::regclass::text as object
from pg_catalog.pg_class c join pg_catalog.pg_namespace n on n.oid = c.relnamespace
where n.nspname in ('public', 'private', 'worker') and c.relkind in ('r', 'p');

create view tests.our_functions as
select p.*, n.nspname as schema, p.oid::regprocedure::text as object
from pg_catalog.pg_proc p join pg_catalog.pg_namespace n on n.oid = p.pronamespace
where n.nspname in ('public', 'private', 'worker')
    -- The clock of helpers/clock.sql stands in for the real one.
    and p.oid <> 'private.clock()'::regprocedure;

-- Every privilege anybody has on a table, view, column, sequence or function of ours; 0 stands for PUBLIC.
create view tests.our_grants as
select g.object, g.schema, case g.grantee when 0 then 'public' else g.grantee::regrole::text end as grantee, g.privilege
from (
    select c.oid::regclass::text as object, n.nspname as schema, a.grantee, a.privilege_type as privilege
    from pg_catalog.pg_class c join pg_catalog.pg_namespace n on n.oid = c.relnamespace, pg_catalog.aclexplode(c.relacl) a
    union all
    select c.oid::regclass::text || '.' || t.attname, n.nspname, a.grantee, a.privilege_type
    from pg_catalog.pg_attribute t join pg_catalog.pg_class c on c.oid = t.attrelid join pg_catalog.pg_namespace n on n.oid = c.relnamespace,
        pg_catalog.aclexplode(t.attacl) a
    union all
    select p.object, p.schema, a.grantee, a.privilege_type
    from tests.our_functions p, pg_catalog.aclexplode(coalesce(p.proacl, pg_catalog.acldefault('f', p.proowner))) a
) g
where g.schema in ('public', 'private', 'worker') and g.grantee <> (select r.oid from pg_catalog.pg_roles r where r.rolname = 'postgres');

insert into tests.rules values
('rls', 'every table has row-level security', $$
    select object from tests.our_tables where not relrowsecurity
$$),
('select_policy', 'every table of public has one policy, for select, to authenticated', $$
    select t.object from tests.our_tables t where t.schema = 'public' and (
        select array_agg(p.polcmd::text || p.polpermissive || p.polroles::regrole[]::text) from pg_catalog.pg_policy p where p.polrelid = t.oid
    ) is distinct from array['rtrue{authenticated}']
$$),
('policy_shape', 'policies have their exact shape', $$
    select p.tablename || ': ' || coalesce(p.qual, '') || coalesce(p.with_check, '') from pg_catalog.pg_policies p
    left join tests.special_policies s on s.table_name = p.tablename
    where p.schemaname in ('public', 'private', 'worker') and (p.with_check is not null or p.qual is distinct from
        coalesce(s.expression, '(org_id = ANY (( SELECT private.my_org_ids() AS my_org_ids)::uuid[]))'))
$$),
('foreign_policies', 'Realtime and Storage have our policies and no other', $$
    select p.object from (
        select format('%s.%s %s %s %s %s %s', p.schemaname, p.tablename, p.cmd, p.permissive, p.roles, p.qual, p.with_check) as object
        from pg_catalog.pg_policies p where p.schemaname in ('realtime', 'storage')
    ) p
    where p.object not in (
        'realtime.messages SELECT PERMISSIVE {authenticated} ((extension = ANY (ARRAY[''broadcast''::text, ''presence''::text])) '
            'AND private.may_hear(( SELECT realtime.topic() AS topic))) ',
        'realtime.messages INSERT PERMISSIVE {authenticated}  ((extension = ''presence''::text) AND private.may_hear(( SELECT realtime.topic() AS topic)))',
        'storage.objects SELECT PERMISSIVE {authenticated} ((bucket_id = ''media''::text) AND ((storage.foldername(name))[1] = ANY '
            '((( SELECT private.my_org_ids() AS my_org_ids))::text[]))) ',
        'storage.objects INSERT PERMISSIVE {authenticated}  ((bucket_id = ''media''::text) AND ((storage.foldername(name))[1] = ANY '
            '((( SELECT private.my_orgs_with(''inbox.answer''::text) AS my_orgs_with))::text[])))',
        'storage.objects SELECT PERMISSIVE {authenticated} ((bucket_id = ''templates''::text) AND ((storage.foldername(name))[1] = ANY '
            '((( SELECT private.my_org_ids() AS my_org_ids))::text[]))) ',
        'storage.objects INSERT PERMISSIVE {authenticated}  ((bucket_id = ''templates''::text) AND ((storage.foldername(name))[1] = ANY '
            '((( SELECT private.my_orgs_with(''campaigns.manage''::text) AS my_orgs_with))::text[])))',
        'storage.objects SELECT PERMISSIVE {authenticated} ((bucket_id = ''imports''::text) AND ((storage.foldername(name))[1] = ANY '
            '((( SELECT private.my_orgs_with(''contacts.bulk''::text) AS my_orgs_with))::text[]))) ',
        'storage.objects INSERT PERMISSIVE {authenticated}  ((bucket_id = ''imports''::text) AND ((storage.foldername(name))[1] = ANY '
            '((( SELECT private.my_orgs_with(''contacts.bulk''::text) AS my_orgs_with))::text[])))',
        'storage.objects SELECT PERMISSIVE {authenticated} ((bucket_id = ''exports''::text) AND ((storage.foldername(name))[1] = ANY '
            '((( SELECT private.my_orgs_with(''contacts.bulk''::text) AS my_orgs_with))::text[]))) ')
    union all
    select 'there are ' || count(*) from pg_catalog.pg_policies p where p.schemaname in ('realtime', 'storage') having count(*) <> 9
$$),
('tenant_column', 'every tenant table has org_id not null, an index that begins with it or with a row of one tenant, and a way to organizations', $$
    select t.object from tests.our_tables t
    where t.schema = 'public' and t.name not in ('organizations', 'profiles') and (
        not exists (select from pg_catalog.pg_attribute a where a.attrelid = t.oid and a.attname = 'org_id' and a.attnotnull and not a.attisdropped)
        or not exists (select from pg_catalog.pg_index i join pg_catalog.pg_attribute a on a.attrelid = t.oid and a.attnum = i.indkey[0]
            where i.indrelid = t.oid and a.attname = 'org_id')
        or not exists (select from pg_catalog.pg_constraint c join pg_catalog.pg_attribute a on a.attrelid = t.oid and a.attnum = any (c.conkey)
            where c.conrelid = t.oid and c.contype = 'f' and a.attname = 'org_id'))
$$),
('primary_key', 'every table has a primary key', $$
    select object from tests.our_tables t where not exists (select from pg_catalog.pg_index i where i.indrelid = t.oid and i.indisprimary)
$$),
('foreign_key_index', 'every foreign key has an index that begins with its columns, or with the one of them that is a key of the table it refers to', $$
    select c.conrelid::regclass || ' ' || c.conname from pg_catalog.pg_constraint c join tests.our_tables t on t.oid = c.conrelid
    where c.contype = 'f' and not exists (
        select from pg_catalog.pg_index i where i.indrelid = c.conrelid and i.indisvalid
            and ((i.indkey::int2[])[0:cardinality(c.conkey) - 1] @> c.conkey and (i.indkey::int2[])[0:cardinality(c.conkey) - 1] <@ c.conkey
                or exists (select from pg_catalog.pg_index k, unnest(c.conkey, c.confkey) u (here, there)
                    where k.indrelid = c.confrelid and k.indisprimary and k.indnatts = 1 and k.indkey[0] = u.there and i.indkey[0] = u.here))
            -- A partial index serves when it leaves out nothing but nulls.
            and (i.indpred is null or pg_catalog.pg_get_expr(i.indpred, i.indrelid) ~ '^\(\w+ IS NOT NULL\)$'))
$$),
('search_path', 'every function sets an empty search_path', $$
    select object from tests.our_functions where not coalesce('search_path=""' = any (proconfig), false)
$$),
('language', 'functions are written in SQL and PL/pgSQL', $$
    select f.object from tests.our_functions f join pg_catalog.pg_language l on l.oid = f.prolang where l.lanname not in ('sql', 'plpgsql')
$$),
('dynamic_sql', 'no function executes text, but those that run compiled rules', $$
    select object from tests.our_functions where regexp_replace(prosrc, '--[^\n]*', '', 'g') ~* '\mexecute\M'
        and object not in (
            'private.selected_contacts(uuid,jsonb)',
            'private.list_page(uuid,text,jsonb,boolean,text,boolean,integer,bigint)',
            'private.walk_page(uuid,private.contact_filter,text,boolean,bigint,bigint,bigint)',
            'private.probe_page(uuid,private.contact_filter,text,boolean,bigint,bigint)',
            'private.sort_page(uuid,private.contact_filter,text,text,boolean,bigint,bigint)',
            'private.matching_contacts(uuid,text,text[],timestamp with time zone)',
            'private.count_matching_contacts(uuid,text,text[],timestamp with time zone)',
            'private.matching_segments(private.segment_statements,uuid[],timestamp with time zone)',
            'private.explain_plan(text)')
$$),
('nobody', 'nothing of ours is granted to anon or to everybody', $$
    select object || ' ' || privilege || ' to ' || grantee from tests.our_grants where grantee in ('anon', 'public')
$$),
('read_only', 'API roles read the tables of public and write none', $$
    select g.object || ' ' || g.privilege || ' to ' || g.grantee from tests.our_grants g
    where g.grantee in ('authenticated', 'service_role')
        and not (g.schema = 'public' and g.privilege in ('SELECT', 'EXECUTE')) and not (g.schema = 'private' and g.privilege = 'EXECUTE')
$$),
('hidden_column', 'the hash of an invitation''s token is granted to nobody', $$
    select g.object from tests.our_grants g where g.object in ('public.org_invitations', 'public.org_invitations.token_hash')
$$),
('private_functions', 'of the functions in private, the API roles execute what policies need and nothing else', $$
    select g.object || ' to ' || g.grantee from tests.our_grants g
    where g.schema = 'private' and g.privilege = 'EXECUTE' and not (g.grantee in ('authenticated', 'service_role') and g.object in (
        'private.my_org_ids()', 'private.my_orgs_with(text)', 'private.my_colleague_ids()', 'private.may_hear(text)'))
$$),
('policy_helpers', 'what policies call is a stable definer function', $$
    select f.object from tests.our_functions f
    where f.schema = 'private' and f.proname in ('my_org_ids', 'my_orgs_with', 'my_colleague_ids', 'may_hear')
        and not (f.prosecdef and f.provolatile = 's')
$$),
('api_functions', 'functions of public are definer functions executable by authenticated alone', $$
    select f.object from tests.our_functions f where f.schema = 'public' and (not f.prosecdef or (
        select array_agg(a.grantee::regrole::text) from pg_catalog.aclexplode(f.proacl) a where a.grantee <> f.proowner)
            is distinct from array['authenticated'])
$$),
('worker_functions', 'functions of worker are definer functions executable by octopush_worker alone', $$
    select f.object from tests.our_functions f where f.schema = 'worker' and (not f.prosecdef or (
        select array_agg(a.grantee::regrole::text) from pg_catalog.aclexplode(f.proacl) a where a.grantee <> f.proowner)
            is distinct from array['octopush_worker'])
$$),
('worker_role', 'octopush_worker may execute worker.* and nothing else', $$
    select g.object || ' ' || g.privilege from tests.our_grants g where g.grantee = 'octopush_worker' and g.schema <> 'worker'
    union all
    select c.oid::regclass::text from pg_catalog.pg_class c join pg_catalog.pg_namespace n on n.oid = c.relnamespace
    where c.relkind in ('r', 'p', 'v', 'm', 'f') and n.nspname not in ('pg_catalog', 'information_schema', 'tests') and n.nspname !~ '^pg_t'
        and pg_catalog.has_schema_privilege('octopush_worker', n.oid, 'usage')
        and pg_catalog.has_table_privilege('octopush_worker', c.oid, 'select, insert, update, delete, truncate')
    union all
    select 'a role it must not be' from pg_catalog.pg_roles r where r.rolname = 'octopush_worker'
        and (r.rolsuper or r.rolbypassrls or r.rolcreaterole or r.rolcreatedb or r.rolreplication or not r.rolcanlogin)
    union all
    select 'member of ' || m.roleid::regrole from pg_catalog.pg_auth_members m where m.member = 'octopush_worker'::regrole
$$),
('views', 'every view asks the caller''s own rights', $$
    select c.oid::regclass::text from pg_catalog.pg_class c
    where c.relnamespace = 'public'::regnamespace and (c.relkind in ('m', 'f')
        or (c.relkind = 'v' and not coalesce('security_invoker=true' = any (c.reloptions), false)))
$$),
('comments', 'every table, view and function of the API has a comment', $$
    select t.object from tests.our_tables t where t.schema = 'public' and pg_catalog.obj_description(t.oid, 'pg_class') is null
    union all
    select c.oid::regclass::text from pg_catalog.pg_class c
    where c.relnamespace = 'public'::regnamespace and c.relkind = 'v' and pg_catalog.obj_description(c.oid, 'pg_class') is null
    union all
    select f.object from tests.our_functions f where f.schema = 'public' and pg_catalog.obj_description(f.oid, 'pg_proc') is null
$$),
('error_codes', 'every error code in a function or its comment is in the catalogue', $$
    select distinct f.object || ' ' || m.code[1] from tests.our_functions f,
        regexp_matches(f.prosrc || coalesce(pg_catalog.obj_description(f.oid, 'pg_proc'), ''), '\m[A-Z]+_[0-9]{3}\M', 'g') as m (code)
    where m.code[1] not in (select e.code from octopush.error_catalog() e)
$$),
('one_raiser', 'clients'' errors are raised in one place', $$
    select f.object from tests.our_functions f where f.proname <> 'raise_error' and f.prosrc ~* 'sqlstate\s+''(PGRST|PT)'
$$),
('publication', 'the published tables are the five of the contract', $$
    select coalesce(p.schemaname || '.' || p.tablename, 'missing: ' || w.name) from pg_catalog.pg_publication_tables p
    full join unnest(array['conversations', 'messages', 'contacts', 'activity_log', 'notifications']) as w (name)
        on p.pubname = 'supabase_realtime' and p.schemaname = 'public' and p.tablename = w.name
    where (p.pubname = 'supabase_realtime' and w.name is null) or p.pubname is null
$$),
('owner', 'everything is owned by postgres and by no extension', $$
    select t.object from tests.our_tables t join pg_catalog.pg_class c on c.oid = t.oid where c.relowner <> 'postgres'::regrole
    union all
    select f.object from tests.our_functions f where f.proowner <> 'postgres'::regrole
    union all
    select d.objid::regclass::text from pg_catalog.pg_depend d join tests.our_tables t on t.oid = d.objid
    where d.classid = 'pg_catalog.pg_class'::regclass and d.deptype = 'e'
$$);

create function tests.offenders(p_rule text)
returns setof text
language plpgsql volatile
-- Names and expressions are printed in full, whatever the caller's path.
set search_path = ''
as $$
begin
    return query execute (select r.offenders from tests.rules r where r.name = p_rule);
end
$$;
