select template_id, action, waba_id, access_token, wa_template_id, payload, attempt from worker.claim_template_work($1)
