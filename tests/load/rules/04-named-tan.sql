select count(*) from public.contacts c
where c.org_id = '{org}' and c.deleted_at is null and c.erased_at is null and c.search_text like '%tan%' and lower(c.full_name) like '%tan%'
