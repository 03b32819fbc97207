-- Inbound messages, applied in batches inside the applier's transaction. Called by octopush_worker only.
-- Must stay true: one Meta message id makes one row however often it is delivered; the window follows Meta's timestamps and never
-- moves back; conversations are locked before messages are written, so that unread counts equal a recount.

-- Finds or makes the contact; what is news about a known one is for private.enrich_contacts.
create or replace function private.resolve_contact(p_org_id uuid, p_wa_id text, p_bsuid text, p_profile_name text, p_username text)
returns uuid
language plpgsql volatile
set search_path = ''
as $$
declare
    v_wa_id text := case when p_wa_id ~ '^[0-9]{5,20}$' then p_wa_id end;
    v_bsuid text := case when length(p_bsuid) between 4 and 140 then p_bsuid end;
    v_phone text := case when p_wa_id ~ '^[1-9][0-9]{6,14}$' then '+' || p_wa_id end;
    v_id uuid;
begin
    if v_wa_id is null and v_bsuid is null then
        return null;
    end if;
    -- Twice: a first writer elsewhere may win between our look and our insert.
    for i in 1..2 loop
        -- A phone names the person when both are given: sources disagree (reference/whatsapp.md §2.2), and a phone is what people recognise.
        select c.id into v_id from public.contacts c
        -- A phone somebody typed is a hint: it names nobody who is known by another WhatsApp number.
        where c.org_id = p_org_id and (c.wa_id = v_wa_id or (c.phone = v_phone and c.wa_id is null) or c.bsuid = v_bsuid)
        order by (c.wa_id = v_wa_id) desc nulls last, (c.phone = v_phone and c.wa_id is null) desc nulls last limit 1;
        if found then
            return v_id;
        end if;
        insert into public.contacts (org_id, phone, wa_id, bsuid, full_name, username, source)
        values (p_org_id, case when not exists (select from public.contacts x where x.org_id = p_org_id and x.phone = v_phone) then v_phone end, v_wa_id, v_bsuid, nullif(left(btrim(p_profile_name), 200), ''), left(ltrim(p_username, '@'), 100), 'whatsapp')
        on conflict do nothing
        returning id into v_id;
        if found then
            insert into public.activity_log (org_id, kind, contact_id, data)
            values (p_org_id, 'contact.created', v_id, '{"source": "whatsapp"}');
            return v_id;
        end if;
    end loop;
    raise exception 'contact of % could not be resolved', p_org_id using errcode = 'serialization_failure';
end
$$;

-- What the senders of a batch tell about contacts that exist; private.with_contacts has locked them.
create or replace function private.enrich_contacts(p_senders jsonb)
returns void
language plpgsql volatile
set search_path = ''
as $$
declare
    v_sender record;
begin
    for v_sender in
        select c.id, c.org_id, s.name, s.username, s.wa_id, s.bsuid
        from (
            select x.contact_id, nullif(left(btrim(x.profile_name), 200), '') as name, left(ltrim(x.username, '@'), 100) as username,
                case when x.wa_id ~ '^[0-9]{5,20}$' then x.wa_id end as wa_id,
                case when length(x.bsuid) between 4 and 140 then x.bsuid end as bsuid
            from jsonb_to_recordset(p_senders) as x (contact_id uuid, profile_name text, username text, wa_id text, bsuid text)
        ) s
        join public.contacts c on c.id = s.contact_id
        where (c.wa_id is distinct from s.wa_id and s.wa_id is not null) or (c.bsuid is null and s.bsuid is not null)
            or (c.full_name is null and s.name is not null) or c.deleted_at is not null
            or (s.username is not null and c.username is distinct from s.username)
    loop
        update public.contacts c set
            -- Known by BSUID and writing from a new number: answers go where the person is now.
            wa_id = case when v_sender.wa_id is null or exists (
                select from public.contacts x where x.org_id = v_sender.org_id and x.wa_id = v_sender.wa_id) then c.wa_id else v_sender.wa_id end,
            bsuid = coalesce(c.bsuid, case when not exists (
                select from public.contacts x where x.org_id = v_sender.org_id and x.bsuid = v_sender.bsuid) then v_sender.bsuid end),
            full_name = coalesce(c.full_name, v_sender.name),
            username = coalesce(v_sender.username, c.username),
            -- Someone who writes is a contact again: an answer must be possible.
            deleted_at = null,
            updated_at = clock_timestamp()
        where c.id = v_sender.id;
    end loop;
end
$$;

-- The events with contact_id, null where the sender has no identity we could answer to. Locks the contacts, all of them in one order, so that
-- appliers cannot wait for each other.
create or replace function private.with_contacts(p_events jsonb)
returns jsonb
language plpgsql volatile
set search_path = ''
as $$
declare
    v_senders jsonb;
begin
    -- Again when somebody we found was merged or erased before we held them: their number then names somebody else. What was locked so far is
    -- let go with the subtransaction, because contacts are made before any is locked.
    for i in 1..3 loop
        begin
            with senders as materialized (
                select distinct on (x.org_id, x.wa_id, x.bsuid) x.*
                from jsonb_to_recordset(p_events) as x (
                    org_id uuid, wa_id text, bsuid text, profile_name text, username text, occurred_at timestamptz)
                order by x.org_id, x.wa_id, x.bsuid, x.occurred_at desc
            ), resolved as materialized (
                select s.*, private.resolve_contact(s.org_id, s.wa_id, s.bsuid, s.profile_name, s.username) as contact_id from senders s
            )
            select jsonb_agg(to_jsonb(r)) into v_senders from resolved r;
            perform c.id from public.contacts c
            where c.id in (select s.contact_id from jsonb_to_recordset(v_senders) as s (contact_id uuid))
            order by c.id for no key update;
            if exists (
                select from jsonb_to_recordset(v_senders) as s (contact_id uuid)
                where s.contact_id is not null
                    and not exists (select from public.contacts c where c.id = s.contact_id and c.erased_at is null)) then
                raise exception 'a contact went away while its message was applied' using errcode = 'serialization_failure';
            end if;
            exit;
        exception when serialization_failure then
            if i = 3 then
                raise;
            end if;
        end;
    end loop;
    perform private.enrich_contacts(v_senders);
    return (
        select jsonb_agg(e.value || jsonb_build_object('contact_id', s.contact_id))
        from jsonb_array_elements(p_events) e
        join jsonb_to_recordset(v_senders) as s (org_id uuid, wa_id text, bsuid text, contact_id uuid)
            on s.org_id = (e.value ->> 'org_id')::uuid
            and s.wa_id is not distinct from e.value ->> 'wa_id' and s.bsuid is not distinct from e.value ->> 'bsuid'
    );
end
$$;

create or replace function private.apply_reactions(p_reactions jsonb)
returns uuid[]
language plpgsql volatile
set search_path = ''
as $$
declare
    v_conversation_ids uuid[];
begin
    perform m.id from public.messages m
    where (m.whatsapp_account_id, m.wa_message_id) in (
        select r.whatsapp_account_id, r.target from jsonb_to_recordset(p_reactions) as r (whatsapp_account_id uuid, target text))
    order by m.id for no key update;

    with newest as (
        select distinct on (r.whatsapp_account_id, r.target) r.*
        from jsonb_to_recordset(p_reactions) as r (whatsapp_account_id uuid, target text, emoji text, occurred_at timestamptz)
        order by r.whatsapp_account_id, r.target, r.occurred_at desc
    ), changed as (
        update public.messages m
        set reactions = m.reactions || jsonb_build_object('contact', jsonb_build_object('emoji', n.emoji, 'at', n.occurred_at))
        from newest n
        where m.whatsapp_account_id = n.whatsapp_account_id and m.wa_message_id = n.target
            -- Meta's times have seconds: within one the later arrival wins.
            and coalesce((m.reactions #>> '{contact,at}')::timestamptz <= n.occurred_at, true)
        returning m.id, m.conversation_id
    ), told as (
        select private.broadcast_messages(c.conversation_id, array_agg(c.id)) from changed c group by c.conversation_id
    )
    select array_agg(distinct c.conversation_id) into v_conversation_ids from changed c, (select count(*) from told) t;
    return v_conversation_ids;
end
$$;

create or replace function worker.apply_messages(p_events jsonb)
returns table (webhook_event_id bigint, problem text)
language plpgsql volatile security definer
set search_path = ''
as $$
declare
    v_events jsonb;
    v_new_conversation_ids uuid[];
    v_inserted jsonb;
    v_org record;
begin
    -- What no connected number of ours received is reported back, and stays visible as a rejected webhook.
    return query
    select distinct e.webhook_event_id, 'no connected number ' || coalesce(e.phone_number_id, '?')
    from jsonb_to_recordset(p_events) as e (webhook_event_id bigint, phone_number_id text)
    where not exists (select from public.whatsapp_accounts a where a.phone_number_id = e.phone_number_id and a.is_receiving);

    -- One event a Meta message id; a real message beats the 131060 placeholder that may come before or after it under the same id.
    select jsonb_agg(to_jsonb(x)) into v_events from (
        select distinct on (a.id, e.wa_message_id) a.org_id, a.id as whatsapp_account_id, e.*
        from jsonb_to_recordset(p_events) as e (
            webhook_event_id bigint, phone_number_id text, wa_id text, bsuid text, profile_name text, username text, wa_message_id text, occurred_at timestamptz,
            type text, body text, payload jsonb, reply_to text, is_placeholder boolean, reaction_to text, opens_window boolean)
        join public.whatsapp_accounts a on a.phone_number_id = e.phone_number_id and a.is_receiving
        left join public.messages m on m.whatsapp_account_id = a.id and m.wa_message_id = e.wa_message_id
        where m.id is null or (not e.is_placeholder and m.type = 'unsupported' and (m.payload ->> 'is_placeholder')::boolean)
        order by a.id, e.wa_message_id, e.is_placeholder
    ) x;
    if v_events is null then
        return;
    end if;

    -- Locks are taken in one order everywhere: contacts, conversations, messages, outbox.
    v_events := private.with_contacts(v_events);
    return query
    select distinct e.webhook_event_id, 'a sender without a phone number or user id'
    from jsonb_to_recordset(v_events) as e (webhook_event_id bigint, contact_id uuid) where e.contact_id is null;

    with made as (
        insert into public.conversations (org_id, whatsapp_account_id, contact_id, last_message_at)
        select distinct on (e.whatsapp_account_id, e.contact_id) e.org_id, e.whatsapp_account_id, e.contact_id, e.occurred_at
        from jsonb_to_recordset(v_events) as e (org_id uuid, whatsapp_account_id uuid, contact_id uuid, occurred_at timestamptz)
        where e.contact_id is not null
        order by e.whatsapp_account_id, e.contact_id, e.occurred_at
        on conflict (whatsapp_account_id, contact_id) do nothing
        returning id
    )
    select coalesce(array_agg(id), '{}') into v_new_conversation_ids from made;

    perform c.id from public.conversations c
    where (c.whatsapp_account_id, c.contact_id) in (
        select e.whatsapp_account_id, e.contact_id from jsonb_to_recordset(v_events) as e (whatsapp_account_id uuid, contact_id uuid))
    order by c.id for no key update;

    with written as (
        insert into public.messages (org_id, conversation_id, whatsapp_account_id, contact_id, direction, type, body, payload, wa_message_id,
            reply_to_wa_message_id, reply_to_message_id, status, occurred_at)
        select e.org_id, c.id, e.whatsapp_account_id, e.contact_id, 'inbound',
            case when e.type in ('text', 'image', 'video', 'audio', 'document', 'sticker', 'location', 'contacts', 'interactive', 'button',
                'reaction', 'order', 'system') then e.type else 'unsupported' end,
            left(e.body, 10000),
            case when e.is_placeholder then coalesce(e.payload, '{}') || '{"is_placeholder": true}' else e.payload end,
            e.wa_message_id, e.reply_to, q.id, 'received', e.occurred_at
        from jsonb_to_recordset(v_events) as e (
            org_id uuid, whatsapp_account_id uuid, contact_id uuid, wa_message_id text, occurred_at timestamptz, type text, body text,
            payload jsonb, reply_to text, is_placeholder boolean, reaction_to text)
        join public.conversations c on c.whatsapp_account_id = e.whatsapp_account_id and c.contact_id = e.contact_id
        left join public.messages q on q.whatsapp_account_id = e.whatsapp_account_id and q.wa_message_id = e.reply_to
        -- A reaction is shown on its message; it becomes a row of its own only when we never saw that message.
        where e.reaction_to is null or not exists (
            select from public.messages t where t.whatsapp_account_id = e.whatsapp_account_id and t.wa_message_id = e.reaction_to
            union all
            select from jsonb_to_recordset(v_events) as t (whatsapp_account_id uuid, wa_message_id text, reaction_to text)
            where t.whatsapp_account_id = e.whatsapp_account_id and t.wa_message_id = e.reaction_to and t.reaction_to is null)
        order by e.occurred_at, e.wa_message_id
        on conflict (whatsapp_account_id, wa_message_id) where wa_message_id is not null do update
        set type = excluded.type, body = excluded.body, payload = excluded.payload
        where messages.type = 'unsupported' and (messages.payload ->> 'is_placeholder')::boolean and excluded.type <> 'unsupported'
        returning id, org_id, conversation_id, contact_id, wa_message_id, type, body, occurred_at, reply_to_wa_message_id, reply_to_message_id,
            xmax = 0 as is_new
    )
    select jsonb_agg(to_jsonb(w)) into v_inserted from written w;

    perform private.apply_reactions(jsonb_agg(jsonb_build_object('whatsapp_account_id', e.whatsapp_account_id, 'target', e.reaction_to,
        'emoji', e.body, 'occurred_at', e.occurred_at)))
    from jsonb_to_recordset(v_events) as e (whatsapp_account_id uuid, reaction_to text, body text, occurred_at timestamptz)
    where e.reaction_to is not null
    having count(*) > 0;

    if v_inserted is null then
        return;
    end if;
    -- Answers to messages of the same batch, which the insert above could not see.
    update public.messages m set reply_to_message_id = q.id
    from jsonb_to_recordset(v_inserted) as i (id uuid, reply_to_wa_message_id text, reply_to_message_id uuid), public.messages q
    where i.reply_to_wa_message_id is not null and i.reply_to_message_id is null and m.id = i.id
        and q.whatsapp_account_id = m.whatsapp_account_id and q.wa_message_id = m.reply_to_wa_message_id;
    perform private.fold_inbound(v_events, v_inserted, v_new_conversation_ids);
    perform private.note_replies(v_inserted);
    perform private.apply_consent_keywords(v_inserted);
    for v_org in
        select i.org_id, array_agg(distinct i.conversation_id) as conversation_ids,
            array_agg(distinct i.contact_id) filter (where i.conversation_id = any (v_new_conversation_ids)) as new_contact_ids
        from jsonb_to_recordset(v_inserted) as i (org_id uuid, conversation_id uuid, contact_id uuid) group by i.org_id
    loop
        perform private.broadcast_conversations(v_org.org_id, v_org.conversation_ids);
        if v_org.new_contact_ids is not null then
            perform private.broadcast_contacts(v_org.org_id, v_org.new_contact_ids);
        end if;
        perform private.broadcast('org:' || v_org.org_id, 'activity', '{}');
    end loop;
    perform private.broadcast_messages(i.conversation_id, array_agg(i.id))
    from jsonb_to_recordset(v_inserted) as i (id uuid, conversation_id uuid) group by i.conversation_id;
end
$$;
comment on function worker.apply_messages(jsonb) is
    '[{webhook_event_id, phone_number_id, wa_id?, bsuid?, profile_name?, username?, wa_message_id, occurred_at, type, body?, payload?, reply_to?, is_placeholder, reaction_to?, opens_window}] → webhooks that name no connected number.';

-- What new inbound messages mean for their conversations, contacts, the feed and the people on duty.
create or replace function private.fold_inbound(p_events jsonb, p_inserted jsonb, p_new_conversation_ids uuid[])
returns void
language plpgsql volatile
set search_path = ''
as $$
declare
    v_waiting record;
begin
    with news as (
        select i.*, coalesce(e.opens_window, false) as opens_window
        from jsonb_to_recordset(p_inserted) as i (
            id uuid, org_id uuid, conversation_id uuid, contact_id uuid, wa_message_id text, type text, body text, occurred_at timestamptz, is_new boolean)
        join jsonb_to_recordset(p_events) as e (contact_id uuid, wa_message_id text, opens_window boolean)
            on e.wa_message_id = i.wa_message_id and e.contact_id = i.contact_id
    ), folded as (
        select n.conversation_id, count(*) filter (where n.is_new) as unread,
            max(n.occurred_at) filter (where n.opens_window) as last_opening, max(n.occurred_at) as last_inbound,
            (array_agg(n.id order by n.occurred_at desc, n.id desc))[1] as id,
            (array_agg(n.type order by n.occurred_at desc, n.id desc))[1] as type,
            (array_agg(n.body order by n.occurred_at desc, n.id desc))[1] as body
        from news n group by n.conversation_id
    )
    update public.conversations c set
        unread_count = c.unread_count + f.unread,
        -- 24 hours from Meta's time of the message (reference/whatsapp.md §9.3). An old message that arrives late moves nothing back.
        window_expires_at = greatest(c.window_expires_at, f.last_opening + interval '24 hours'),
        last_inbound_at = greatest(c.last_inbound_at, f.last_inbound),
        is_quiet = false,
        snoozed_until = case when f.last_opening is null then c.snoozed_until end,
        status = case
            when f.last_opening is null then c.status
            when greatest(c.window_expires_at, f.last_opening + interval '24 hours') > private.clock() then 'open'
            else 'expired' end,
        last_message_id = case when f.last_inbound >= c.last_message_at or c.last_message_id is null then f.id else c.last_message_id end,
        last_message_type = case when f.last_inbound >= c.last_message_at or c.last_message_id is null then f.type else c.last_message_type end,
        last_message_direction = case when f.last_inbound >= c.last_message_at or c.last_message_id is null then 'inbound' else c.last_message_direction end,
        last_message_preview = case when f.last_inbound >= c.last_message_at or c.last_message_id is null then left(f.body, 160) else c.last_message_preview end,
        last_message_at = greatest(c.last_message_at, f.last_inbound),
        updated_at = now()
    from folded f where c.id = f.conversation_id;

    update public.contacts p set
        last_message_at = greatest(p.last_message_at, l.at), last_inbound_at = greatest(p.last_inbound_at, l.at),
        messages_received = p.messages_received + l.received, not_on_whatsapp_at = null
    from (
        select i.contact_id, max(i.occurred_at) as at, count(*) filter (where i.is_new) as received
        from jsonb_to_recordset(p_inserted) as i (contact_id uuid, occurred_at timestamptz, is_new boolean)
        group by i.contact_id
    ) l where p.id = l.contact_id;

    insert into public.activity_log (org_id, kind, contact_id, conversation_id, data)
    select i.org_id, case when i.conversation_id = any (p_new_conversation_ids) then 'conversation.created' else 'message.received' end,
        i.contact_id, i.conversation_id, jsonb_build_object('messages', count(*))
    from jsonb_to_recordset(p_inserted) as i (org_id uuid, conversation_id uuid, contact_id uuid, is_new boolean)
    where i.is_new group by i.org_id, i.conversation_id, i.contact_id;

    for v_waiting in
        select c.org_id, c.id, c.contact_id from public.conversations c where c.id = any (p_new_conversation_ids) and c.assigned_to is null
    loop
        perform private.notify_members(v_waiting.org_id, private.members_with(v_waiting.org_id, 'inbox.answer'), 'conversation.unassigned',
            'normal', jsonb_build_object('conversation_id', v_waiting.id, 'contact_id', v_waiting.contact_id));
    end loop;
end
$$;
