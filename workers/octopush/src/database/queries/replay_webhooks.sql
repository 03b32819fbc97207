select worker.replay_webhooks($1)
