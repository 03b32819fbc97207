select count(*) from public.contacts c
where c.org_id = '{org}' and c.deleted_at is null and c.erased_at is null and c.created_at >= timestamptz '{ago:14}'
    and not exists (select from public.conversations v where v.org_id = '{org}' and v.contact_id = c.id)
