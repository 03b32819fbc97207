select worker.apply_template_events($1)
