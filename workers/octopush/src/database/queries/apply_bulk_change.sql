select worker.apply_bulk_change($1, $2, $3)
