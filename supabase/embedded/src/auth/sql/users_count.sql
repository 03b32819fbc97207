select count(*) from auth.users where deleted_at is null
