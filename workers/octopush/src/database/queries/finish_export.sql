select worker.finish_export($1, $2, $3, $4)
