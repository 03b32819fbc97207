select count(*) from public.contacts c
where c.org_id = '{org}' and c.deleted_at is null and c.erased_at is null and (
    (c.last_inbound_at < timestamptz '{ago:60}' or c.last_inbound_at is null)
        and c.id in (select t.contact_id from public.contact_tags t where t.org_id = '{org}' and t.tag_id in ('{tag:VIP}', '{tag:Partner}'))
    or c.opt_in_status <> 'opted_out' and c.custom_fields ->> 'tier' in ('gold', 'silver') and (c.custom_fields -> 'spend')::numeric > 500)
