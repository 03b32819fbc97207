-- How many contacts $1 has, and a hash of what an import brought.
select count(*), md5(string_agg(md5(concat_ws('|', c.phone, c.full_name, c.email, c.company, c.job_title, c.address ->> 'city',
    trim_scale((c.custom_fields ->> 'spend')::numeric)::text)), '' order by c.phone))
from public.contacts c where c.org_id = $1
