select count(*)
from public.contact_tags f join public.contact_tags w on w.org_id = f.org_id and w.contact_id = f.contact_id join public.contacts c on c.id = f.contact_id
where f.org_id = '{org}' and f.tag_id = '{tag:Fair 2025}' and w.tag_id = '{tag:Webinar}' and c.org_id = '{org}' and c.deleted_at is null
    and c.erased_at is null and c.source in ('whatsapp', 'campaign')
