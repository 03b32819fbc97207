select worker.pause_number($1, $2)
