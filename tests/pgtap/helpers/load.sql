-- Fixtures for the tests of this folder. Included inside a test's transaction, so that the rollback takes them away with the rest:
-- the schema `tests` never exists for anybody else. Needs a superuser and a migrated database.

set client_min_messages = warning;
create extension if not exists pgtap with schema extensions;
create schema tests;
grant usage on schema tests to public;
set local search_path = tests, extensions, public;

\ir people.sql
\ir answers.sql
\ir clock.sql
\ir organisations.sql
\ir conversations.sql
\ir webhooks.sql
\ir sending.sql
\ir segments.sql
\ir templates.sql
\ir campaigns.sql
\ir calls.sql
\ir rows.sql

grant execute on all functions in schema tests to public;
-- Stands still at the start of the transaction, until a test moves it.
select tests.set_clock(now());
