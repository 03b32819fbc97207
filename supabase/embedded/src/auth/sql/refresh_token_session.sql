select session_id from auth.refresh_tokens where token = $1
