select worker.release_job($1, $2)
