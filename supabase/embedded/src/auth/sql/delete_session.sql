delete from auth.sessions where id = $1
