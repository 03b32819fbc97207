select version, hash from private.schema_migrations order by version
