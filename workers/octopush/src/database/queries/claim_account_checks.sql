select whatsapp_account_id, secret_id, waba_id, phone_number_id, access_token from worker.claim_account_checks($1)
