select whatsapp_account_id, phone_number_id, access_token, credential_id, messages_per_second, ready,
    extract(epoch from next_ready_at - clock_timestamp())::double precision as next_ready_seconds
from worker.lease_numbers($1, $2, $3, $4)
