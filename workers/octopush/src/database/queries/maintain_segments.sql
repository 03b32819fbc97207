select handled, more from worker.maintain_segments($1)
