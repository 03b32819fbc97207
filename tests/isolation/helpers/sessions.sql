-- Real sessions at the same time, by dblink: fixtures are committed, so a file that includes this cleans up with helpers/clean.sql.
-- Run outside a transaction.

set client_min_messages = warning;
select pg_catalog.pg_get_functiondef('private.clock()'::regprocedure) as real_clock \gset
create extension if not exists dblink with schema extensions;
\getenv url OCTOPUSH_TEST_DATABASE_URL
\if :{?url}
    select regexp_replace(:'url', '/[^/]*$', '/' || current_database()) as conninfo \gset
\else
    select format('host=%s port=%s user=%s dbname=%s', :'HOST', :'PORT', :'USER', current_database()) as conninfo \gset
\endif

begin;
\ir ../../pgtap/helpers/load.sql
\ir ../../pgtap/helpers/rules.sql
create table tests.sessions (name text primary key, conninfo text not null, pid integer);
grant all on tests.sessions to public;
\ir talk.sql
select tests.make_world(), tests.make_rows('acme');
update public.conversations set unread_count = 0, last_read_at = clock_timestamp();
delete from private.outbox;
delete from private.phone_leases;
commit;
set search_path = tests, extensions, public;
insert into tests.sessions select n, :'conninfo' from unnest(array['one', 'two', 'three', 'four', 'five', 'six', 'seven']) n;
select tests.open(name) from tests.sessions;
