select * from supabase_embedded.auth_users order by created_at desc, id limit $1 offset $2
