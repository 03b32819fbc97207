-- $2 customers of $1 who may be written to and never wrote.
insert into public.contacts (org_id, phone, wa_id, full_name, source, opt_in_status, opt_in_at, opt_in_source)
select $1, '+6015' || lpad(n::text, 8, '0'), '6015' || lpad(n::text, 8, '0'), 'Customer ' || n, 'import', 'opted_in', now(), 'form'
from generate_series(1, $2::integer) n
