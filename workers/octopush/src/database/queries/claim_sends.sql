select message_id, send_try, attempt, recipient_phone, recipient_bsuid, type, body, payload, reply_to, queued_at, lane
from worker.claim_sends($1, $2, $3, $4)
