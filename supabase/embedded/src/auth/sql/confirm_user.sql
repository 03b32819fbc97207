with confirmed as (
  update auth.users
  set email_confirmed_at = coalesce(email_confirmed_at, now()), confirmation_token = '', updated_at = now(),
      raw_user_meta_data = coalesce(raw_user_meta_data, '{}') || '{"email_verified": true}'
  where id = $1
)
update auth.identities
set identity_data = identity_data || '{"email_verified": true}', updated_at = now()
where user_id = $1 and provider = 'email'
