select id, received_at, problem, bytes from worker.rejected_webhooks($1)
