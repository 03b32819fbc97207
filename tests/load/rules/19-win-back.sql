select count(*) from public.contacts c
where c.org_id = '{org}' and c.deleted_at is null and c.erased_at is null and c.lifecycle_stage = 'churned' and c.email <> ''
    and c.opt_in_at < timestamptz '{day:-180} 00:00+08'
    and not exists (select from public.contact_tags t where t.org_id = '{org}' and t.contact_id = c.id)
