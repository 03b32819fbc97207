-- Conversations with open windows, for $3 of the customers of $1 on the number $2.
insert into public.conversations (org_id, whatsapp_account_id, contact_id, window_expires_at, last_inbound_at)
select $1, $2, c.id, now() + interval '23 hours', now()
from public.contacts c where c.org_id = $1 order by c.phone desc limit $3
returning id
