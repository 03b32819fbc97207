with changed as (
  update auth.users
  set email = $2::text, email_change = '', email_change_token_new = '', updated_at = now(),
      raw_user_meta_data = coalesce(raw_user_meta_data, '{}') || jsonb_build_object('email', $2::text)
  where id = $1
)
update auth.identities
set identity_data = identity_data || jsonb_build_object('email', $2::text), updated_at = now()
where user_id = $1 and provider = 'email'
