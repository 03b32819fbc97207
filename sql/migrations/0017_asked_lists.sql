-- A list of templates is applied as of the moment it was asked for, which the worker carries from worker.wabas_to_sync to
-- worker.apply_template_list: the two have other shapes now.
drop function if exists worker.wabas_to_sync(integer);
drop function if exists worker.apply_template_list(uuid, text, jsonb, boolean);
