-- $3 customers with an open window each.
with people as (
    insert into public.contacts (org_id, phone, wa_id, full_name, source, opt_in_status)
    select $1, '+6015' || lpad(n::text, 8, '0'), '6015' || lpad(n::text, 8, '0'), 'Customer ' || n, 'whatsapp', 'opted_in'
    from generate_series(1, $3::integer) n
    returning id, phone
), threads as (
    insert into public.conversations (org_id, whatsapp_account_id, contact_id, window_expires_at, last_inbound_at)
    select $1, $2, p.id, now() + interval '23 hours', now() from people p
    returning id, contact_id
)
select t.id from threads t join people p on p.id = t.contact_id order by p.phone
