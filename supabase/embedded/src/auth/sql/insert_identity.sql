insert into auth.identities (
  provider_id, user_id, identity_data, provider, last_sign_in_at, created_at, updated_at
)
values ($1::uuid::text, $1, $2, 'email', now(), now(), now())
