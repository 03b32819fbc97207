select hash from private.schema_code
