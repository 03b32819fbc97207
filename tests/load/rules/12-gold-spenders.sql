select count(*) from public.contacts c
where c.org_id = '{org}' and c.deleted_at is null and c.erased_at is null
    and c.custom_fields ->> 'tier' = 'gold' and (c.custom_fields -> 'spend')::numeric >= 1000
