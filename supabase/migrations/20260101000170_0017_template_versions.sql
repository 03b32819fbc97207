-- Generated from sql/ by scripts/gen-supabase-migrations. Do not edit.

-- A list of templates is applied as of the moment it was asked for, which the worker carries from worker.wabas_to_sync to
-- worker.apply_template_list: the two have other shapes now.
drop function if exists worker.wabas_to_sync(integer);
drop function if exists worker.apply_template_list(uuid, text, jsonb, boolean);
alter table private.template_syncs add column listed_as_of timestamptz;
comment on column private.template_syncs.listed_as_of is 'When the list was asked for that was applied last: an older one that comes later says nothing new.';

-- Asked with more now: of which version, of which account, and for campaigns.
drop function if exists public.submit_template(uuid);
drop function if exists public.list_templates(uuid, text, text, text, text, text, boolean, integer, integer);

insert into private.schema_migrations (version, name, hash) values (17, '0017_template_versions', 'cbcd6176dce932ed8cdddd2a2c63bf71edb6311f54f817739adbba76f2527414');
