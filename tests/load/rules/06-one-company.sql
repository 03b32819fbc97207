select count(*)
from private.contact_search s join public.contacts c on c.org_id = s.org_id and c.id = s.contact_id
where s.org_id = '{org}' and s.search_text like '%orchid trading 64 sdn bhd%' and c.deleted_at is null and c.erased_at is null
    and lower(c.company) = 'orchid trading 64 sdn bhd'
