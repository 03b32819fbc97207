select worker.reject_webhook($1, $2)
