select extension_version, schema_version, code_hash from worker.versions()
