-- What the inbox lists read. security_invoker: the caller's own policies decide the rows.

create or replace view public.conversation_list with (security_invoker = true) as
select
    c.id, c.org_id, c.whatsapp_account_id, c.contact_id, c.status, c.folder, c.assigned_to, c.window_expires_at, c.snoozed_until,
    c.unread_count, c.last_read_at, c.last_inbound_at, c.last_message_id, c.last_message_at, c.last_message_preview, c.last_message_type,
    c.last_message_direction, c.created_at, c.updated_at,
    -- Read where it is kept: statuses arrive by the thousand and must not rewrite conversations.
    m.status as last_message_status,
    coalesce(p.full_name, p.username) as contact_name,
    coalesce(p.phone, '+' || p.wa_id) as contact_phone,
    p.avatar_url as contact_avatar_url,
    p.opt_in_status as contact_opt_in_status,
    a.display_phone_number as account_display_phone_number
from public.conversations c
join public.contacts p on p.org_id = c.org_id and p.id = c.contact_id
join public.whatsapp_accounts a on a.id = c.whatsapp_account_id
left join public.messages m on m.id = c.last_message_id;
comment on view public.conversation_list is
    'Conversations with what a row of the inbox shows. Page by (last_message_at desc, id desc) within one org_id and folder.';
