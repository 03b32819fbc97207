update auth.users
set encrypted_password = $2, updated_at = now(), recovery_token = '', reauthentication_token = ''
where id = $1
