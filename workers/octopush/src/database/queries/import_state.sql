select path, spec, line from worker.import_state($1, $2)
