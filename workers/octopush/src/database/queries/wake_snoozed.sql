select worker.wake_snoozed($1)
