-- $2 customers of $1 who opted in to marketing, of whom every 20th opted out since and every 50th has never said anything.
insert into public.contacts (org_id, phone, full_name, source, opt_in_status, opt_in_at, opt_in_source)
select $1, '+6012' || lpad(n::text, 7, '0'), case when n % 7 > 0 then 'Customer ' || n end, 'import',
    case when n % 20 = 0 then 'opted_out' when n % 50 = 1 then 'pending' else 'opted_in' end, now(), 'form'
from generate_series(1, $2::integer) n
