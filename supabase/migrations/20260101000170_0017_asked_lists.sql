-- Generated from sql/ by scripts/gen-supabase-migrations. Do not edit.

-- A list of templates is applied as of the moment it was asked for, which the worker carries from worker.wabas_to_sync to
-- worker.apply_template_list: the two have other shapes now.
drop function if exists worker.wabas_to_sync(integer);
drop function if exists worker.apply_template_list(uuid, text, jsonb, boolean);

insert into private.schema_migrations (version, name, hash) values (17, '0017_asked_lists', 'fdb85a56b857d2d0ad489ed6cc2dc1ca80709b58c57b398386cfa1e5c0703159');
