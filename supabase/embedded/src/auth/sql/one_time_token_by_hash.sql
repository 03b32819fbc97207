select user_id, token_type::text, token_hash, updated_at < clock_timestamp() - make_interval(secs => $3) as is_expired
from auth.one_time_tokens
where token_hash = $1 and token_type::text = any ($2)
for update
