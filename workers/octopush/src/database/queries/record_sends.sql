select worker.record_sends($1)
