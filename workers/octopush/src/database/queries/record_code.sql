insert into private.schema_code (hash) values ($1)
on conflict (is_current) do update set hash = excluded.hash, applied_at = now()
