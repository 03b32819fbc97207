select org_id, waba_id, access_token from worker.wabas_to_sync($1)
