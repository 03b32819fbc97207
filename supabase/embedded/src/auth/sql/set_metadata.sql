update auth.users
set raw_user_meta_data = $2, raw_app_meta_data = $3, role = coalesce($4, role), updated_at = now()
where id = $1
