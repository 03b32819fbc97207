select worker.release_leases($1)
