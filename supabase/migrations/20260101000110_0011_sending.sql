-- Generated from sql/ by scripts/gen-supabase-migrations. Do not edit.

-- Leases carry which token they hold, so that a late refusal of a replaced token does not suspend the number.

drop function if exists worker.lease_numbers(uuid, integer, integer, integer);
drop function if exists worker.suspend_number(uuid, text);

insert into private.schema_migrations (version, name, hash) values (11, '0011_sending', 'e5579985b03e28a9a33315391dd7d18b8e2851ec88a41749dbe8353da75395a1');
