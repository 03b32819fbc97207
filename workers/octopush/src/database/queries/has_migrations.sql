select to_regclass('private.schema_migrations') is not null
