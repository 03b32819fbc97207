select worker.conversion_secret($1)
