select worker.follow_link($1, $2, $3)
