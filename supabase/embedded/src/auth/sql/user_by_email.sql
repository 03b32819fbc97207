select * from supabase_embedded.auth_users where email = $1 and not is_sso_user
