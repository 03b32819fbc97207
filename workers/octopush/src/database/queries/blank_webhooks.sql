select worker.blank_webhooks($1, $2)
