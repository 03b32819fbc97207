select worker.advance_campaigns()
