select job_id, org_id, kind from worker.claim_jobs($1, $2, $3, $4, $5)
