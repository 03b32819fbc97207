select worker.purge_jobs($1)
