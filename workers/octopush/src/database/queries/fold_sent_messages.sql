select worker.fold_sent_messages($1)
