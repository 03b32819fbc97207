select worker.record_account_events($1)
