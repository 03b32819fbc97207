-- Conversations of $1 whose unread count differs from a recount, and whose preview is not that of their newest message.
select
    count(*) filter (where c.unread_count <> (
        select count(*) from public.messages m
        where m.conversation_id = c.id and m.direction = 'inbound' and m.created_at > c.last_read_at)),
    count(*) filter (where c.last_message_id is not null and exists (
        select from public.messages m
        where m.conversation_id = c.id and m.direction in ('inbound', 'outbound') and m.occurred_at > c.last_message_at))
from public.conversations c where c.org_id = $1
