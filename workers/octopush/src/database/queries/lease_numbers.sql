select whatsapp_account_id, phone_number_id, access_token, credential_id, messages_per_second, ready, next_ready_at
from worker.lease_numbers($1, $2, $3, $4)
