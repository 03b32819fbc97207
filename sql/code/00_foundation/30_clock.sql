-- The database's clock for every rule that depends on the time. Tests replace this function in their own database; nothing else may.

create or replace function private.clock()
returns timestamptz
language sql volatile parallel safe
set search_path = ''
as $$ select clock_timestamp() $$;
