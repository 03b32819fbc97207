update auth.users
set recovery_token = $2, recovery_sent_at = clock_timestamp(), updated_at = now()
where id = $1
