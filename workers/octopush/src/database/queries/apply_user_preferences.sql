select worker.apply_user_preferences($1)
