select webhook_event_id, problem from worker.apply_messages($1)
