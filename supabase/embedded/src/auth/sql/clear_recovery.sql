update auth.users set recovery_token = '', updated_at = now() where id = $1
