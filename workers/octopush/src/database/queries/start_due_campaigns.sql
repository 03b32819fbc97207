select worker.start_due_campaigns()
