-- The baseline of the import: contacts of $1 out of the temporary table lines, every value taken as it stands.
insert into public.contacts (org_id, phone, full_name, email, company, job_title, address, custom_fields, source)
select $1, l.phone, l.full_name, l.email, l.company, l.job_title, jsonb_build_object('city', l.city), jsonb_build_object('spend', l.spend), 'import'
from lines l
