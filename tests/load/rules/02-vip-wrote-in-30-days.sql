select count(*)
from public.contact_tags t join public.contacts c on c.id = t.contact_id
where t.org_id = '{org}' and t.tag_id = '{tag:VIP}' and c.org_id = '{org}' and c.deleted_at is null and c.erased_at is null
    and c.last_inbound_at >= timestamptz '{ago:30}'
