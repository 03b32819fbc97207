select bucket, path from worker.expired_files($1)
