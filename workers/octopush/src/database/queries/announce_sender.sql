select worker.announce_sender($1)
