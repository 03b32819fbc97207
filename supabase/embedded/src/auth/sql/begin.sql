set local role supabase_auth_admin;
set local search_path = auth;
set local statement_timeout = '8s';
set local lock_timeout = '5s';
