select worker.record_conversion($1, $2)
