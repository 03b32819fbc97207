-- Extensions live in a schema of their own, and PostgREST is told of every change of the schema.

create schema if not exists extensions;
grant usage on schema extensions to postgres, anon, authenticated, service_role, dashboard_user;
grant create on schema extensions to postgres;

create extension if not exists pgcrypto with schema extensions;
create extension if not exists pg_trgm with schema extensions;
create extension if not exists unaccent with schema extensions;

create or replace function extensions.pgrst_ddl_watch() returns event_trigger
language plpgsql volatile set search_path = '' as $$
begin
  -- Temporary objects are no part of the API; notifying for them would make every report reload the schema.
  if exists (
    select from pg_catalog.pg_event_trigger_ddl_commands() as c
    where coalesce(c.schema_name, '') <> 'pg_temp'
      and c.command_tag ~ '^(CREATE|ALTER|GRANT|REVOKE|COMMENT|IMPORT|SELECT INTO)'
  ) then
    notify pgrst, 'reload schema';
  end if;
end
$$;

create or replace function extensions.pgrst_drop_watch() returns event_trigger
language plpgsql volatile set search_path = '' as $$
begin
  if exists (
    select from pg_catalog.pg_event_trigger_dropped_objects() as o
    where not o.is_temporary
      and o.object_type in (
        'schema', 'table', 'foreign table', 'view', 'materialized view', 'function', 'trigger', 'type', 'rule',
        'table column', 'table constraint'
      )
  ) then
    notify pgrst, 'reload schema';
  end if;
end
$$;

revoke all on function extensions.pgrst_ddl_watch(), extensions.pgrst_drop_watch() from public;

do $$
begin
  if not exists (select from pg_catalog.pg_event_trigger where evtname = 'pgrst_ddl_watch') then
    create event trigger pgrst_ddl_watch on ddl_command_end execute function extensions.pgrst_ddl_watch();
  end if;
  if not exists (select from pg_catalog.pg_event_trigger where evtname = 'pgrst_drop_watch') then
    create event trigger pgrst_drop_watch on sql_drop execute function extensions.pgrst_drop_watch();
  end if;
end
$$;
