delete from auth.sessions where user_id = $1 and id is distinct from $2
