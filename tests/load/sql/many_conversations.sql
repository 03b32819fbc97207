-- $4 conversations over 30 days: a tenth resolved, a fifth assigned to $3, each with its last message.
with people as (
    insert into public.contacts (org_id, phone, wa_id, full_name, source)
    select $1::uuid, '+6016' || lpad(n::text, 8, '0'), '6016' || lpad(n::text, 8, '0'), 'Customer ' || n, 'whatsapp'
    from generate_series(1, $4::integer) n
    returning id
), numbered as (
    select id as contact_id, octopush.uuid_v7() as conversation_id, octopush.uuid_v7() as message_id, row_number() over () as n from people
), threads as (
    insert into public.conversations (id, org_id, whatsapp_account_id, contact_id, status, assigned_to, window_expires_at, unread_count,
        last_read_at, last_message_id, last_message_at, last_message_preview, last_message_type, last_message_direction)
    select conversation_id, $1, $2::uuid, contact_id, case when n % 10 = 0 then 'resolved' else 'open' end,
        case when n % 5 = 1 then $3::uuid end, now() - make_interval(secs => n * 5.0) + interval '24 hours', 0, now(),
        message_id, now() - make_interval(secs => n * 5.0), 'Message of customer ' || n, 'text', 'inbound'
    from numbered
    returning id, contact_id, last_message_id, last_message_at
)
insert into public.messages (id, org_id, conversation_id, whatsapp_account_id, contact_id, direction, type, body, wa_message_id, status, occurred_at, created_at)
select last_message_id, $1, id, $2, contact_id, 'inbound', 'text', 'Message', 'wamid.' || id, 'received', last_message_at, last_message_at
from threads
