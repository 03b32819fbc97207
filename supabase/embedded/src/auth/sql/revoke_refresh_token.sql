update auth.refresh_tokens set revoked = true, updated_at = clock_timestamp() where token = $1
