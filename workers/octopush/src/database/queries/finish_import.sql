select worker.finish_import($1, $2, $3)
