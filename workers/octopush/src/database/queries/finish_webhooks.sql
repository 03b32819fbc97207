select worker.finish_webhooks($1)
