select whatsapp_account_id, queued from worker.feed_campaigns($1)
