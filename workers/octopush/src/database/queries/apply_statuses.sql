select webhook_event_id, problem from worker.apply_statuses($1)
