insert into supabase_embedded.mailbox (recipient, subject, body_text, links, token, token_hash)
values ($1, $2, $3, $4, $5, $6)
