select id, body from worker.claim_webhooks($1)
