select user_id, token_type::text, token_hash, updated_at < clock_timestamp() - make_interval(secs => $4) as is_expired
from auth.one_time_tokens
where user_id = $1 and token_type::text = any ($2) and token_hash = any ($3)
for update
