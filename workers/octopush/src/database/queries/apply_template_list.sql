select worker.apply_template_list($1, $2, $3, $4, $5)
