with signed_in as (
  update auth.users set last_sign_in_at = clock_timestamp(), updated_at = now() where id = $1
)
update auth.identities set last_sign_in_at = clock_timestamp(), updated_at = now()
where user_id = $1 and provider = 'email'
