select worker.extend_jobs($1, $2, $3)
