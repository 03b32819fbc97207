update auth.users
set confirmation_token = $2, confirmation_sent_at = clock_timestamp(), updated_at = now(),
    invited_at = case when $3 then now() else invited_at end
where id = $1
