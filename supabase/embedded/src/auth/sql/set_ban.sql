update auth.users
set banned_until = case when $2::float8 > 0 then now() + make_interval(secs => $2) end, updated_at = now()
where id = $1
