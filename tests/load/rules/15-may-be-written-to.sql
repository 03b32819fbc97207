select count(*) from public.contacts c
where c.org_id = '{org}' and c.deleted_at is null and c.erased_at is null and c.opt_in_status = 'opted_in'
    and not exists (select from public.contact_tags t where t.org_id = '{org}' and t.contact_id = c.id
        and t.tag_id in ('{tag:Do not disturb}', '{tag:Refund}'))
