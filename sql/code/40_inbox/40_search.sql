-- Search of the inbox: names, phones and the text of messages, but not of campaigns' (PRD §6.2). Definer, because the operators of trigram and
-- full-text search are not leakproof: behind a policy they could not use their indexes. The organisation is checked first and leads every query.

create or replace function public.search_conversations(p_org_id uuid, p_query text, p_limit integer default 30)
returns table (conversation_id uuid, matched text, snippet text, message_id uuid, occurred_at timestamptz)
language plpgsql stable security definer
set search_path = ''
as $$
declare
    v_query text := lower(btrim(left(coalesce(p_query, ''), 200)));
    v_pattern text := '%' || replace(replace(replace(v_query, '\', '\\'), '%', '\%'), '_', '\_') || '%';
    v_words tsquery := plainto_tsquery('simple', v_query);
    v_limit integer := least(greatest(coalesce(p_limit, 30), 1), 100);
begin
    perform private.require_permission(p_org_id, 'read');
    if length(v_query) < 2 then
        return;
    end if;
    -- The last word may be half typed. Punctuation alone leaves no words, and matches no message.
    if numnode(v_words) > 0 then
        v_words := (v_words::text || ':*')::tsquery;
    end if;
    return query
    with people as (
        select c.id, 'contact'::text as matched, null::text as snippet, null::uuid as message_id, c.last_message_at as at
        from private.contact_search p
        join public.conversations c on c.org_id = p.org_id and c.contact_id = p.contact_id
        where p.org_id = p_org_id and p.search_text like v_pattern
        order by c.last_message_at desc limit v_limit
    ), words as (
        select m.conversation_id, m.id, m.body, m.occurred_at
        from public.messages m
        where m.org_id = p_org_id and m.campaign_id is null
            and to_tsvector('simple', coalesce(m.body, '')) @@ v_words
        order by m.id desc limit 200
    ), texts as (
        select distinct on (w.conversation_id) w.conversation_id, w.body, w.id, w.occurred_at
        from words w order by w.conversation_id, w.occurred_at desc
    ), found as (
        select p.id, p.matched, p.snippet, p.message_id, p.at from people p
        union all
        select t.conversation_id, 'message', substr(t.body, greatest(position(v_query in lower(t.body)) - 40, 1), 160), t.id, t.occurred_at
        from texts t
        join public.conversations c on c.id = t.conversation_id
        join public.contacts p on p.org_id = c.org_id and p.id = c.contact_id and p.deleted_at is null
        where t.conversation_id not in (select p.id from people p)
    )
    select f.id, f.matched, f.snippet, f.message_id, f.at from found f order by (f.matched = 'contact') desc, f.at desc limit v_limit;
end
$$;
comment on function public.search_conversations(uuid, text, integer) is
    'Conversations whose contact (name, phone, e-mail, company) or messages (but not a campaign''s) match, at least two letters; matched: contact | message. Errors: AUTH_002, ORG_001.';
