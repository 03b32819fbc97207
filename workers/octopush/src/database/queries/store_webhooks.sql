select worker.store_webhooks($1)
