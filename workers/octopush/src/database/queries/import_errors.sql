select line, cells, reason from worker.import_errors($1, $2, $3, $4)
