insert into auth.one_time_tokens (id, user_id, token_type, token_hash, relates_to)
values ($1, $2, $3::text::auth.one_time_token_type, $4, $5)
on conflict (user_id, token_type) do update
set id = excluded.id, token_hash = excluded.token_hash, relates_to = excluded.relates_to,
    created_at = clock_timestamp(), updated_at = clock_timestamp()
