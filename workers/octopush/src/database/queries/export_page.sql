select last_position, cells from worker.export_page($1, $2, $3, $4)
