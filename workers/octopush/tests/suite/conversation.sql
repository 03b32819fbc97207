with person as (
    insert into public.contacts (org_id, phone, wa_id, full_name, source)
    values ($1, '+' || $3::text, $3::text, 'Aina Test', 'whatsapp') returning id
)
insert into public.conversations (org_id, whatsapp_account_id, contact_id, window_expires_at, last_inbound_at)
select $1, $2, id, now() + interval '23 hours', now() from person
returning id
