select count(*)
from public.contacts c join public.segment_members m on m.segment_id = '{segment:customers}' and m.contact_id = c.id
where c.org_id = '{org}' and c.deleted_at is null and c.erased_at is null and c.last_message_at >= timestamptz '{ago:14}'
