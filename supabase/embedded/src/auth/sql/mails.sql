select id, recipient, subject, body_text, links, token, token_hash, created_at
from supabase_embedded.mailbox
where $1::text is null or recipient = $1
order by created_at desc, id
limit $2
