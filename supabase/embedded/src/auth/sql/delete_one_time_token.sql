delete from auth.one_time_tokens where user_id = $1 and token_type::text = any ($2)
