select worker.record_account_check($1, $2, $3)
