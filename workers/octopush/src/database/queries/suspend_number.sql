select worker.suspend_number($1, $2, $3)
