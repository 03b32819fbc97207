select * from supabase_embedded.auth_users where id = $1
