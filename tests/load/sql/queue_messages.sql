-- One ready message for every conversation of the organisation $1, as send_message would leave it; $2 starts the client keys.
with written as (
    insert into public.messages (org_id, conversation_id, whatsapp_account_id, contact_id, direction, type, body, status, client_key)
    select c.org_id, c.id, c.whatsapp_account_id, c.contact_id, 'outbound', 'text', 'Yes, we do!', 'pending', $2::text || ':' || row_number() over ()
    from public.conversations c where c.org_id = $1
    returning id, org_id, whatsapp_account_id, conversation_id
)
insert into private.outbox (message_id, org_id, whatsapp_account_id, conversation_id)
select id, org_id, whatsapp_account_id, conversation_id from written
