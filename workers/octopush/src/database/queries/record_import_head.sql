select worker.record_import_head($1, $2, $3, $4, $5, $6, $7)
