select worker.record_template_work($1)
