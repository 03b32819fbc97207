update auth.flow_state
set auth_code_issued_at = clock_timestamp(), updated_at = now()
where id = (
  select f.id
  from auth.flow_state as f
  where f.user_id = $1 and f.authentication_method = $2
    and f.created_at > clock_timestamp() - make_interval(secs => $3)
  order by f.created_at desc
  limit 1
)
returning auth_code
