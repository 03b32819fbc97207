select worker.purge($1)
