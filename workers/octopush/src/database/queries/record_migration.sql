insert into private.schema_migrations (version, name, hash) values ($1, $2, $3)
