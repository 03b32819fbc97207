select worker.fail_job($1, $2, $3)
