select
  t.revoked, active.token, active.parent,
  t.updated_at + make_interval(secs => $2) < clock_timestamp() as is_past_reuse
from auth.refresh_tokens as t
left join lateral (
  select a.token, a.parent
  from auth.refresh_tokens as a
  where a.session_id = t.session_id and not a.revoked
  order by a.id desc
  limit 1
) as active on true
where t.token = $1
