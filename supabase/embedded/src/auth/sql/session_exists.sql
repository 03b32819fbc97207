select from auth.sessions where id = $1 and user_id = $2 and (not_after is null or not_after > now())
