select worker.sweep_windows($1)
