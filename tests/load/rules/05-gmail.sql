select count(*) from public.contacts c
where c.org_id = '{org}' and c.deleted_at is null and c.erased_at is null and lower(c.email) like '%@gmail.com'
