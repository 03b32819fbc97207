select user_id, not_after is not null and not_after < clock_timestamp() as is_expired
from auth.sessions
where id = $1
for update
