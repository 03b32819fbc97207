-- Every table and view × every verb × every caller (design §5, invariant 1), generated from the catalogue.
-- A new table fails until it has rows in tests/pgtap/helpers/rows.sql and a line in `readers` below.

begin;
\ir ../pgtap/helpers/load.sql
\ir helpers/callers.sql
\ir helpers/fingerprint.sql
select no_plan();
select tests.make_world(), tests.make_rows('acme'), tests.make_rows('globex'), tests.make_callers();

create view tests.relations as
select c.oid, n.nspname as schema, c.relname as name, format('%I.%I', n.nspname, c.relname) as object,
    (select a.attname from pg_catalog.pg_attribute a where a.attrelid = c.oid and a.attnum > 0 and not a.attisdropped and a.attgenerated = '' and a.attidentity = ''
        order by a.attnum limit 1) as some_column
from pg_catalog.pg_class c join pg_catalog.pg_namespace n on n.oid = c.relnamespace
where c.relkind in ('r', 'p', 'v', 'm', 'f') and (n.nspname in ('public', 'private', 'worker')
    or c.oid in ('auth.users'::regclass, 'auth.refresh_tokens'::regclass, 'vault.secrets'::regclass, 'vault.decrypted_secrets'::regclass));

-- Who reads which table of public: the roles, and how many rows of their own organisation (null: some).
create temporary table readers (name text primary key, roles text[], own_rows bigint, tenant text) on commit drop;
insert into readers (name, roles, own_rows, tenant)
select n, array['owner', 'admin', 'campaign_manager', 'agent', 'viewer'], null, 'org_id'
from unnest(array['org_memberships', 'whatsapp_accounts', 'contacts', 'tags', 'contact_tags', 'conversations', 'messages', 'activity_log',
    'conversation_list', 'custom_field_definitions', 'contact_consents', 'consent_keywords', 'tag_usage', 'segments', 'segment_members', 'segment_pins',
    'templates', 'campaigns', 'campaign_variants', 'campaign_recipients', 'campaign_settings', 'opportunities', 'opportunity_list']) n;
insert into readers values
    ('organizations', array['owner', 'admin', 'campaign_manager', 'agent', 'viewer'], 1, 'id'),
    ('profiles', array['owner', 'admin', 'campaign_manager', 'agent', 'viewer'], 6,
        '(select m.org_id from public.org_memberships m where m.user_id = r.user_id limit 1)'),
    ('notifications', array['owner', 'admin', 'campaign_manager', 'agent', 'viewer'], 1, 'org_id'),
    ('jobs', array['owner', 'admin', 'campaign_manager'], 2, 'org_id'),
    ('org_invitations', array['owner', 'admin'], 1, 'org_id'),
    ('whatsapp_events', array['owner', 'admin'], 1, 'org_id');
select set_eq(
    $$ select name::text from tests.relations where schema = 'public' $$, 'select name from readers', 'every table and view of public has its readers here'
);

-- Not on empty tables: both organisations have rows everywhere.
create function tests.rows_of(p_table text, p_tenant text, p_org text) returns bigint language plpgsql as $$
declare
    v_count bigint;
begin
    execute format('select count(*) from %s r where %s = %L', p_table, p_tenant, tests.id(p_org)) into v_count;
    return v_count;
end
$$;
select cmp_ok(tests.rows_of('public.' || r.name, r.tenant, o), '>', 0::bigint, format('%s has rows in %s', o, r.name))
from readers r, unnest(array['acme', 'globex']) o;
select is_empty(
    $$ select t.name from tests.stored_tables t where t.name like 'private.%' and t.tenant is null
        and t.name not in ('private.schema_migrations', 'private.schema_code', 'private.webhook_events') $$,
    'every private table belongs to an organisation, but for three'
);
select cmp_ok(tests.rows_of(t.name, t.tenant, o), '>', 0::bigint, format('%s has rows in %s', o, t.name))
from tests.stored_tables t, unnest(array['acme', 'globex']) o where t.name like 'private.%' and t.tenant is not null;

-- Reading: one's own rows if the role may, never another organisation's.
create function tests.may_read(p_caller tests.callers, p_roles text[]) returns boolean language sql as $$
    select coalesce(p_caller.member_role = any (p_roles), false)
$$;
select is(
    tests.ask(c.name, format('select count(*) from public.%I r where %s is distinct from %L', r.name, r.tenant, tests.id(coalesce(c.org, 'none')))),
    case
        when c.role = 'anon' then '!42501'
        -- Everybody reads their own profile; who is in no organisation has no organisation in it.
        when r.name = 'profiles' and c.name = 'a removed member' then '1'
        else '0'
    end,
    format('%s reads nothing of others in %s', c.name, r.name)
)
from tests.callers c, readers r;
select is(
    tests.ask(c.name, format('select %s from public.%I r where %s = %L', case when r.own_rows is null then 'count(*) > 0' else 'count(*)' end,
        r.name, r.tenant, tests.id(c.org))),
    case when tests.may_read(c, r.roles) then coalesce(r.own_rows::text, 'true') else case when r.own_rows is null then 'false' else '0' end end,
    format('%s reads %s', c.name, r.name)
)
from tests.callers c, readers r where c.org is not null;

-- Everything else is closed to everybody: other schemas, and writing anywhere.
select matches(
    tests.ask(c.name, format('select count(*) from %s', r.object)), '^!42501$', format('%s cannot read %s', c.name, r.object)
)
from tests.callers c, tests.relations r where r.schema <> 'public';
select matches(
    -- 55000: a view of joins cannot be written by anybody.
    tests.ask(c.name, replace(replace(v.statement, 'RELATION', r.object), 'COLUMN', quote_ident(r.some_column))), '^!(42501|55000)$',
    format('%s cannot %s %s', c.name, v.verb, r.object)
)
from tests.callers c, tests.relations r, (values
    ('insert into', 'insert into RELATION default values'), ('update', 'update RELATION set COLUMN = COLUMN'), ('delete from', 'delete from RELATION'),
    ('truncate', 'truncate RELATION'), ('lock', 'lock table RELATION in exclusive mode')
) v (verb, statement)
-- Views of the vault and of joins are no tables to truncate.
where not (v.verb in ('truncate', 'lock') and exists (select from pg_catalog.pg_class k where k.oid = r.oid and k.relkind = 'v'));

-- The workers' role reads and writes no table either.
insert into tests.callers values ('the worker', 'octopush_worker', '{}');
select matches(tests.ask('the worker', format('select count(*) from %s', r.object)), '^!42501$', format('the worker cannot read %s', r.object))
from tests.relations r;
select matches(
    tests.ask('the worker', format('delete from %s', r.object)), '^!(42501|55000)$', format('the worker cannot delete from %s', r.object)
) from tests.relations r;

select * from finish();
rollback;
