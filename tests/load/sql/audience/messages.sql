-- Conversations of the people of people.sql with their messages, as the counters on the contacts say. Called by audience::seed.
-- A seventh of the conversations is open or pending. Without triggers for the messages: they would count what is counted already.

insert into public.conversations (id, org_id, whatsapp_account_id, contact_id, status, window_expires_at, last_inbound_at, last_read_at, last_message_at,
    last_message_preview, last_message_type, last_message_direction, created_at)
select octopush.uuid_v7(), :org_id, :account_id, s.id,
    case when s.n % 7 > 0 then case when s.n % 3 = 0 then 'expired' else 'resolved' end when s.n % 2 = 0 then 'open' else 'pending' end,
    s.last_at + interval '24 hours', s.last_at, now(), s.last_at, 'Message', 'text', 'inbound', s.created_at
from seeded s where s.messages > 0 order by s.n;

set session_replication_role = replica;
insert into public.messages (org_id, conversation_id, whatsapp_account_id, contact_id, direction, type, body, wa_message_id, status, occurred_at, created_at)
select :org_id, v.id, :account_id, s.id, case when k % 2 = 1 then 'inbound' else 'outbound' end, 'text', 'Message ' || k, 'wamid.' || s.id || '.' || k,
    case when k % 2 = 1 then 'received' else 'read' end, s.last_at - interval '6 hours' * (s.messages - k), s.last_at - interval '6 hours' * (s.messages - k)
from seeded s join public.conversations v on v.org_id = :org_id and v.contact_id = s.id, generate_series(1, s.messages) k
order by s.n, k;
reset session_replication_role;
