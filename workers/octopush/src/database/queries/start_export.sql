select header, total from worker.start_export($1, $2)
