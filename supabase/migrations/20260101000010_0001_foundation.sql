-- Generated from sql/ by scripts/gen-supabase-migrations. Do not edit.

-- Schemas, the worker's login role and default privileges. Runs as `postgres` on Supabase (not a superuser), first of all.
-- Must stay true: nothing is granted by default; every later grant is written down in sql/code/.

create schema if not exists private;
create schema if not exists worker;

comment on schema private is 'Helpers of row-level security, queues, leases and raw webhooks. Not reachable through the API.';
comment on schema worker is 'The verbs of the workers: security definer functions, executable by octopush_worker only.';

-- Written by `octopush migrate`, and by the generated supabase/migrations so that either can go on where the other stopped.
create table private.schema_migrations (
    version integer primary key,
    name text not null,
    hash text not null,
    applied_at timestamptz not null default now()
);
create table private.schema_code (
    is_current boolean primary key default true check (is_current),
    hash text not null,
    applied_at timestamptz not null default now()
);
alter table private.schema_migrations enable row level security;
alter table private.schema_code enable row level security;

-- Roles belong to the cluster, not to the database: another database of the same cluster may have made this one.
do $$
begin
    if not exists (select from pg_catalog.pg_roles where rolname = 'octopush_worker') then
        create role octopush_worker login noinherit;
    end if;
exception when duplicate_object or unique_violation then
    null;
end
$$;

alter role octopush_worker set statement_timeout = '60s';
alter role octopush_worker set idle_in_transaction_session_timeout = '60s';

revoke all on schema public, private, worker from public;
grant usage on schema public to anon, authenticated, service_role;
-- Policies call helpers in private as the caller, so the caller must be able to name them. It can execute nothing else there.
grant usage on schema private to authenticated, service_role;
grant usage on schema worker to octopush_worker;

alter default privileges revoke execute on functions from public;
alter default privileges in schema public revoke all on tables from anon, authenticated, service_role;
alter default privileges in schema public revoke all on sequences from anon, authenticated, service_role;
alter default privileges in schema public revoke all on functions from anon, authenticated, service_role;

insert into private.schema_migrations (version, name, hash) values (1, '0001_foundation', 'c239f742a49b9db44ffa58fea5ef0a66d1897507594110c5b2b715e76e1c2b8b');
