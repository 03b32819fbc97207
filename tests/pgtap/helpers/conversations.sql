-- Contacts, conversations and messages.

create function tests.make_contact(p_org text, p_name text, p_phone text default null, p_bsuid text default null)
returns uuid
language sql volatile security definer
set search_path = ''
as $$
    insert into public.contacts (id, org_id, phone, wa_id, bsuid, full_name)
    values (tests.id(p_name), tests.id(p_org), p_phone, ltrim(p_phone, '+'), p_bsuid, initcap(p_name))
    returning id
$$;

-- The window closes p_window from now: negative for one that is shut, null for a contact who never wrote.
create function tests.make_conversation(p_org text, p_name text, p_account text, p_contact text, p_window interval)
returns uuid
language sql volatile security definer
set search_path = ''
as $$
    insert into public.conversations (id, org_id, whatsapp_account_id, contact_id, status, window_expires_at, last_message_at)
    values (tests.id(p_name), tests.id(p_org), tests.id(p_account), tests.id(p_contact),
        case when p_window > interval '0' then 'open' else 'expired' end, private.clock() + p_window, now() - interval '1 hour')
    returning id
$$;

create function tests.conversation(p_name text)
returns public.conversations
language sql stable security definer
set search_path = ''
as $$ select c from public.conversations c where c.id = tests.id(p_name) $$;

create function tests.contact(p_name text)
returns public.contacts
language sql stable security definer
set search_path = ''
as $$ select c from public.contacts c where c.id = tests.id(p_name) $$;

create function tests.message(p_id uuid)
returns public.messages
language sql stable security definer
set search_path = ''
as $$ select m from public.messages m where m.id = p_id $$;

-- By Meta's id.
create function tests.wa_message(p_wa_message_id text)
returns public.messages
language sql stable security definer
set search_path = ''
as $$ select m from public.messages m where m.wa_message_id = p_wa_message_id $$;

-- Conversations whose stored unread count differs from a recount (invariant 6).
create function tests.wrong_unread_counts()
returns setof uuid
language sql stable security definer
set search_path = ''
as $$
    select c.id from public.conversations c
    where c.unread_count <> (
        select count(*) from public.messages m
        where m.conversation_id = c.id and m.direction = 'inbound' and m.created_at > c.last_read_at)
$$;

-- The kinds of activity of an organisation since it was made, oldest first.
create function tests.activities(p_org text)
returns text[]
language sql stable security definer
set search_path = ''
as $$ select coalesce(array_agg(l.kind order by l.id), '{}') from public.activity_log l where l.org_id = tests.id(p_org) $$;

-- Events sent to a topic in this transaction.
create function tests.heard(p_topic text)
returns setof jsonb
language sql stable security definer
set search_path = ''
as $$
    select jsonb_build_object('event', r.event) || (r.payload - 'id') from realtime.messages r
    where r.topic = p_topic and r.extension = 'broadcast' and r.private
$$;
