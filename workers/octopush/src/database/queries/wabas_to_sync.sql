select org_id, waba_id, access_token, asked_at from worker.wabas_to_sync($1)
