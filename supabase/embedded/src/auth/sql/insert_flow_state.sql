insert into auth.flow_state (
  id, user_id, auth_code, code_challenge_method, code_challenge, provider_type, provider_access_token,
  provider_refresh_token, created_at, updated_at, authentication_method
)
values (
  gen_random_uuid(), $1, $2, $3::text::auth.code_challenge_method, $4, 'email', '', '', now(), now(), $5
)
