select
  user_id, code_challenge_method::text, code_challenge, authentication_method,
  coalesce(auth_code_issued_at, created_at) < clock_timestamp() - make_interval(secs => $2) as is_expired
from auth.flow_state
where auth_code = $1
for update
