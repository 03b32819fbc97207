select count(*) from public.contacts c
where c.org_id = '{org}' and c.deleted_at is null and c.erased_at is null and c.lifecycle_stage = 'customer' and c.opt_in_status = 'opted_in'
