
CREATE SCHEMA private;

COMMENT ON SCHEMA private IS 'Helpers of row-level security, queues, leases and raw webhooks. Not reachable through the API.';

CREATE SCHEMA public;

COMMENT ON SCHEMA public IS 'standard public schema';

CREATE SCHEMA worker;

COMMENT ON SCHEMA worker IS 'The verbs of the workers: security definer functions, executable by octopush_worker only.';

CREATE TABLE public.conversations (
    id uuid DEFAULT octopush.uuid_v7() NOT NULL,
    org_id uuid NOT NULL,
    whatsapp_account_id uuid NOT NULL,
    contact_id uuid NOT NULL,
    status text DEFAULT 'open'::text NOT NULL,
    is_quiet boolean DEFAULT false NOT NULL,
    folder text GENERATED ALWAYS AS (
CASE
    WHEN (status = 'resolved'::text) THEN 'resolved'::text
    WHEN is_quiet THEN 'quiet'::text
    ELSE 'active'::text
END) STORED NOT NULL,
    assigned_to uuid,
    window_expires_at timestamp with time zone,
    window_warned_at timestamp with time zone,
    snoozed_until timestamp with time zone,
    unread_count integer DEFAULT 0 NOT NULL,
    last_read_at timestamp with time zone DEFAULT '-infinity'::timestamp with time zone NOT NULL,
    last_inbound_at timestamp with time zone,
    last_message_id uuid,
    last_message_at timestamp with time zone DEFAULT now() NOT NULL,
    last_message_preview text,
    last_message_type text,
    last_message_direction text,
    created_at timestamp with time zone DEFAULT now() NOT NULL,
    updated_at timestamp with time zone DEFAULT now() NOT NULL,
    CONSTRAINT conversations_status_check CHECK ((status = ANY (ARRAY['open'::text, 'pending'::text, 'resolved'::text, 'expired'::text]))),
    CONSTRAINT conversations_unread_count_check CHECK ((unread_count >= 0))
)
WITH (fillfactor='80', autovacuum_vacuum_scale_factor='0.05', autovacuum_analyze_scale_factor='0.05');

COMMENT ON TABLE public.conversations IS 'The thread of a contact with one of our numbers. Read it through the view conversation_list.';

COMMENT ON COLUMN public.conversations.folder IS 'active | resolved | quiet: the list a conversation is shown in; leads every list index.';

COMMENT ON COLUMN public.conversations.window_expires_at IS 'Free-form messages may be sent until then: Meta''s time of the contact''s last message + 24 h.';

CREATE FUNCTION private.add_system_message(p_conversation public.conversations, p_event text, p_payload jsonb DEFAULT '{}'::jsonb) RETURNS void
    LANGUAGE plpgsql
    SET search_path TO ''
    AS $$
declare
    v_id uuid;
begin
    insert into public.messages (org_id, conversation_id, whatsapp_account_id, contact_id, direction, type, payload, status, sent_by)
    values (p_conversation.org_id, p_conversation.id, p_conversation.whatsapp_account_id, p_conversation.contact_id, 'internal', 'system',
        jsonb_build_object('event', p_event) || p_payload, 'received', (select auth.uid()))
    returning id into v_id;
    perform private.broadcast_messages(p_conversation.id, array[v_id]);
end
$$;

CREATE FUNCTION private.apply_reactions(p_reactions jsonb) RETURNS uuid[]
    LANGUAGE plpgsql
    SET search_path TO ''
    AS $$
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

CREATE FUNCTION private.broadcast(p_topic text, p_event text, p_payload jsonb) RETURNS void
    LANGUAGE plpgsql
    SET search_path TO ''
    AS $$
begin
    perform realtime.send(p_payload, p_event, p_topic, true);
end
$$;

CREATE FUNCTION private.broadcast_conversations(p_org_id uuid, p_conversation_ids uuid[]) RETURNS void
    LANGUAGE plpgsql
    SET search_path TO ''
    AS $$
begin
    -- 100 ids keep an event under 4 kB; above that one refetch of the list is cheaper for the browser anyway.
    perform private.broadcast('org:' || p_org_id, 'inbox', case
        when cardinality(p_conversation_ids) <= 100 then jsonb_build_object('conversation_ids', to_jsonb(p_conversation_ids))
        else '{"all": true}'::jsonb end);
end
$$;

CREATE FUNCTION private.broadcast_messages(p_conversation_id uuid, p_message_ids uuid[]) RETURNS void
    LANGUAGE plpgsql
    SET search_path TO ''
    AS $$
begin
    perform private.broadcast('conversation:' || p_conversation_id, 'messages', case
        when cardinality(p_message_ids) <= 100 then jsonb_build_object('message_ids', to_jsonb(p_message_ids))
        else '{"all": true}'::jsonb end);
end
$$;

CREATE FUNCTION private.check_message_content(p_type text, p_body text, p_payload jsonb) RETURNS void
    LANGUAGE plpgsql STABLE
    SET search_path TO ''
    AS $_$
begin
    -- Limits: reference/whatsapp.md §6.2. Media is offered when the issue that brings uploads lands.
    if p_type = 'text' then
        if p_body is null or btrim(p_body, E' \t\r\n') = '' or length(p_body) > 4096 then
            perform private.raise_error('MESSAGE_002', '{"limit": 4096}');
        end if;
        if p_payload is not null then
            perform private.raise_error('MESSAGE_003', '{"field": "payload"}');
        end if;
        return;
    end if;
    if length(p_body) > 1024 then
        perform private.raise_error('MESSAGE_002', '{"limit": 1024}');
    end if;
    if length(p_payload::text) > 60000 then
        perform private.raise_error('MESSAGE_003', '{"field": "payload"}');
    end if;
    if p_type in ('image', 'video', 'document', 'audio', 'sticker') then
        if coalesce(p_payload ->> 'link', '') !~ '^https://[^\s]+$' or length(p_payload ->> 'link') > 2000 then
            perform private.raise_error('MESSAGE_003', '{"field": "payload.link"}');
        end if;
    elsif p_type = 'location' then
        if jsonb_typeof(p_payload -> 'latitude') is distinct from 'number' or jsonb_typeof(p_payload -> 'longitude') is distinct from 'number' then
            perform private.raise_error('MESSAGE_003', '{"field": "payload"}');
        end if;
        if abs((p_payload ->> 'latitude')::numeric) > 90 or abs((p_payload ->> 'longitude')::numeric) > 180 then
            perform private.raise_error('MESSAGE_003', '{"field": "payload"}');
        end if;
    elsif p_type in ('interactive', 'contacts', 'template') then
        if p_payload is null or jsonb_typeof(p_payload) not in ('object', 'array') then
            perform private.raise_error('MESSAGE_003', '{"field": "payload"}');
        end if;
    else
        perform private.raise_error('MESSAGE_003', jsonb_build_object('field', 'type', 'type', p_type));
    end if;
end
$_$;

CREATE FUNCTION private.check_organization_fields(p_name text, p_country text, p_time_zone text) RETURNS void
    LANGUAGE plpgsql STABLE
    SET search_path TO ''
    AS $_$
begin
    if p_name is null or length(btrim(p_name)) not between 1 and 120 then
        perform private.raise_error('ORG_005', '{"field": "name"}');
    end if;
    if p_country is null or p_country !~ '^[A-Z]{2}$' then
        perform private.raise_error('ORG_005', '{"field": "country"}');
    end if;
    if not exists (select from pg_catalog.pg_timezone_names z where z.name = p_time_zone) then
        perform private.raise_error('ORG_005', '{"field": "time_zone"}');
    end if;
end
$_$;

CREATE FUNCTION private.clock() RETURNS timestamp with time zone
    LANGUAGE sql PARALLEL SAFE
    SET search_path TO ''
    AS $$ select clock_timestamp() $$;

CREATE TABLE public.contacts (
    id uuid DEFAULT octopush.uuid_v7() NOT NULL,
    org_id uuid NOT NULL,
    phone text,
    wa_id text,
    bsuid text,
    username text,
    full_name text,
    email text,
    avatar_url text,
    company text,
    job_title text,
    address jsonb,
    notes text,
    source text DEFAULT 'manual'::text NOT NULL,
    opt_in_status text DEFAULT 'pending'::text NOT NULL,
    opt_in_at timestamp with time zone,
    opt_in_source text,
    last_message_at timestamp with time zone,
    birthday date,
    lifecycle_stage text DEFAULT 'lead'::text NOT NULL,
    custom_fields jsonb DEFAULT '{}'::jsonb NOT NULL,
    search_text text GENERATED ALWAYS AS (lower(((((((((COALESCE(full_name, ''::text) || ' '::text) || COALESCE(phone, ''::text)) || ' '::text) || COALESCE(email, ''::text)) || ' '::text) || COALESCE(company, ''::text)) || ' '::text) || COALESCE(username, ''::text)))) STORED,
    deleted_at timestamp with time zone,
    created_at timestamp with time zone DEFAULT now() NOT NULL,
    updated_at timestamp with time zone DEFAULT now() NOT NULL,
    CONSTRAINT contacts__identity__check CHECK (((phone IS NOT NULL) OR (wa_id IS NOT NULL) OR (bsuid IS NOT NULL))),
    CONSTRAINT contacts_address_check CHECK ((jsonb_typeof(address) = 'object'::text)),
    CONSTRAINT contacts_avatar_url_check CHECK ((length(avatar_url) <= 2000)),
    CONSTRAINT contacts_bsuid_check CHECK (((length(bsuid) >= 4) AND (length(bsuid) <= 140))),
    CONSTRAINT contacts_company_check CHECK ((length(company) <= 200)),
    CONSTRAINT contacts_custom_fields_check CHECK ((jsonb_typeof(custom_fields) = 'object'::text)),
    CONSTRAINT contacts_email_check CHECK ((length(email) <= 320)),
    CONSTRAINT contacts_full_name_check CHECK ((length(full_name) <= 200)),
    CONSTRAINT contacts_job_title_check CHECK ((length(job_title) <= 200)),
    CONSTRAINT contacts_lifecycle_stage_check CHECK ((lifecycle_stage = ANY (ARRAY['lead'::text, 'prospect'::text, 'customer'::text, 'churned'::text]))),
    CONSTRAINT contacts_notes_check CHECK ((length(notes) <= 10000)),
    CONSTRAINT contacts_opt_in_source_check CHECK ((opt_in_source = ANY (ARRAY['form'::text, 'whatsapp'::text, 'import'::text, 'manual'::text]))),
    CONSTRAINT contacts_opt_in_status_check CHECK ((opt_in_status = ANY (ARRAY['opted_in'::text, 'opted_out'::text, 'pending'::text]))),
    CONSTRAINT contacts_phone_check CHECK ((phone ~ '^\+[1-9][0-9]{6,14}$'::text)),
    CONSTRAINT contacts_source_check CHECK ((source = ANY (ARRAY['manual'::text, 'import'::text, 'whatsapp'::text, 'campaign'::text, 'flow'::text, 'ad'::text]))),
    CONSTRAINT contacts_username_check CHECK ((length(username) <= 100)),
    CONSTRAINT contacts_wa_id_check CHECK ((wa_id ~ '^[0-9]{5,20}$'::text))
);

COMMENT ON TABLE public.contacts IS 'A person an organisation talks to. Known by phone (E.164), wa_id (digits) or BSUID; at least one.';

COMMENT ON COLUMN public.contacts.bsuid IS 'Business-scoped user id: all Meta gives for senders who hide their number (since 2026).';

CREATE FUNCTION private.contact_for(p_id uuid, p_permission text) RETURNS public.contacts
    LANGUAGE plpgsql
    SET search_path TO ''
    AS $$
declare
    v_contact public.contacts;
begin
    select c.* into v_contact from public.contacts c where c.id = p_id and c.org_id = any (private.my_org_ids()) for no key update;
    if not found then
        perform private.raise_error('CONTACT_001');
    end if;
    perform private.require_permission(v_contact.org_id, p_permission);
    return v_contact;
end
$$;

CREATE FUNCTION private.contact_phone(p_org_id uuid, p_phone text) RETURNS text
    LANGUAGE plpgsql STABLE
    SET search_path TO ''
    AS $$
declare
    v_phone text;
begin
    v_phone := octopush.normalize_phone(p_phone, (select o.country from public.organizations o where o.id = p_org_id));
    if v_phone is null then
        perform private.raise_error('CONTACT_003', jsonb_build_object('phone', left(p_phone, 50)));
    end if;
    return v_phone;
end
$$;

CREATE FUNCTION private.conversation_for(p_id uuid, p_permission text) RETURNS public.conversations
    LANGUAGE plpgsql
    SET search_path TO ''
    AS $$
declare
    v_conversation public.conversations;
begin
    select c.* into v_conversation from public.conversations c where c.id = p_id and c.org_id = any (private.my_org_ids()) for no key update;
    if not found then
        perform private.raise_error('CONVERSATION_001');
    end if;
    perform private.require_permission(v_conversation.org_id, p_permission);
    return v_conversation;
end
$$;

CREATE FUNCTION private.disconnect_account(p_account_id uuid) RETURNS void
    LANGUAGE plpgsql
    SET search_path TO ''
    AS $$
declare
    v_secret_id uuid;
    v_org_id uuid;
begin
    update public.whatsapp_accounts set status = 'disconnected', status_reason = null, connected_at = null, updated_at = now()
    where id = p_account_id returning org_id into v_org_id;
    delete from private.whatsapp_credentials where whatsapp_account_id = p_account_id returning secret_id into v_secret_id;
    if v_secret_id is not null then
        delete from vault.secrets where id = v_secret_id;
    end if;
    perform private.fail_outbox(p_account_id, 'WA_006');
    perform private.broadcast('org:' || v_org_id, 'account', jsonb_build_object('whatsapp_account_id', p_account_id));
end
$$;

CREATE FUNCTION private.enrich_contacts(p_senders jsonb) RETURNS void
    LANGUAGE plpgsql
    SET search_path TO ''
    AS $_$
declare
    v_sender record;
begin
    perform c.id from public.contacts c
    where c.id in (select s.contact_id from jsonb_to_recordset(p_senders) as s (contact_id uuid))
    order by c.id for no key update;
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
$_$;

CREATE FUNCTION private.fail_messages(p_failures jsonb) RETURNS void
    LANGUAGE plpgsql
    SET search_path TO ''
    AS $$
declare
    v_changed jsonb;
begin
    perform m.id from public.messages m
    where m.id in (select f.message_id from jsonb_to_recordset(p_failures) as f (message_id uuid))
    order by m.id for no key update;
    with changed as (
        update public.messages m set status = 'failed', failed_at = clock_timestamp(), is_uncertain = false,
            error_code = f.error_code, error_message = left(f.error_message, 500)
        from jsonb_to_recordset(p_failures) as f (message_id uuid, error_code text, error_message text)
        where m.id = f.message_id and m.status in ('pending', 'sent')
        returning m.id, m.org_id, m.conversation_id
    ), gone as (
        delete from private.outbox o using jsonb_to_recordset(p_failures) as f (message_id uuid) where o.message_id = f.message_id
    )
    select jsonb_agg(to_jsonb(c)) into v_changed from changed c;
    if v_changed is null then
        return;
    end if;
    perform private.broadcast_messages(c.conversation_id, array_agg(c.id))
    from jsonb_to_recordset(v_changed) as c (id uuid, conversation_id uuid) group by c.conversation_id;
    perform private.broadcast_conversations(c.org_id, array_agg(distinct c.conversation_id))
    from jsonb_to_recordset(v_changed) as c (org_id uuid, conversation_id uuid) group by c.org_id;
end
$$;

CREATE FUNCTION private.fail_outbox(p_account_id uuid, p_code text) RETURNS void
    LANGUAGE plpgsql
    SET search_path TO ''
    AS $$
declare
    v_message_ids uuid[];
    v_failures jsonb;
begin
    v_message_ids := array(select o.message_id from private.outbox o where o.whatsapp_account_id = p_account_id and o.state = 'ready');
    perform m.id from public.messages m where m.id = any (v_message_ids) order by m.id for no key update;
    -- One that was claimed meanwhile is on its way to Meta: its own report decides.
    with gone as (
        delete from private.outbox o where o.message_id = any (v_message_ids) and o.state = 'ready' returning o.message_id
    )
    select jsonb_agg(jsonb_build_object('message_id', g.message_id, 'error_code', p_code)) into v_failures from gone g;
    if v_failures is not null then
        perform private.fail_messages(v_failures);
    end if;
end
$$;

CREATE FUNCTION private.fold_inbound(p_events jsonb, p_inserted jsonb, p_new_conversation_ids uuid[]) RETURNS void
    LANGUAGE plpgsql
    SET search_path TO ''
    AS $$
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

    update public.contacts p set last_message_at = greatest(p.last_message_at, l.at)
    from (
        select i.contact_id, max(i.occurred_at) as at from jsonb_to_recordset(p_inserted) as i (contact_id uuid, occurred_at timestamptz)
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

CREATE FUNCTION private.known_statuses(p_events jsonb) RETURNS jsonb
    LANGUAGE sql
    SET search_path TO ''
    AS $$
    select jsonb_agg(to_jsonb(x)) from (
        select coalesce(m.id, t.id) as message_id, e.status, e.occurred_at, e.phone_number_id, e.wa_message_id, e.error_code, e.error_message
        from jsonb_to_recordset(p_events) as e (
            phone_number_id text, wa_message_id text, message_id uuid, send_try integer, status text, occurred_at timestamptz,
            error_code text, error_message text)
        -- Whatever became of the number since: what it sent is ours.
        join public.whatsapp_accounts a on a.phone_number_id = e.phone_number_id
        left join public.messages m on m.whatsapp_account_id = a.id and m.wa_message_id = e.wa_message_id
        left join public.messages t on m.id is null and t.id = e.message_id and t.whatsapp_account_id = a.id
            and t.direction = 'outbound' and t.send_try = e.send_try and t.wa_message_id is null
        where coalesce(m.direction, t.direction) = 'outbound'
    ) x
$$;

CREATE FUNCTION private.lock_member(p_org_id uuid, p_user_id uuid, p_permission text) RETURNS text
    LANGUAGE plpgsql
    SET search_path TO ''
    AS $$
declare
    v_role text;
begin
    -- Before the lock, so that a stranger cannot hold up an organisation.
    perform private.require_permission(p_org_id, p_permission);
    -- One change of members at a time. no key: rows that refer to the organisation are written while we wait for conversations.
    perform from public.organizations o where o.id = p_org_id for no key update;
    -- And after it: who waited behind their own removal has no right left.
    perform private.require_permission(p_org_id, p_permission);
    select m.role into v_role from public.org_memberships m where m.org_id = p_org_id and m.user_id = p_user_id;
    if not found then
        perform private.raise_error('ORG_006');
    end if;
    return v_role;
end
$$;

CREATE FUNCTION private.lock_wa_message_ids(p_wa_message_ids text[]) RETURNS void
    LANGUAGE sql
    SET search_path TO ''
    AS $$
    select pg_catalog.pg_advisory_xact_lock(k.key)
    from (select distinct hashtextextended(x, 0) as key from unnest(p_wa_message_ids) x where x is not null order by 1) k
$$;

CREATE FUNCTION private.may_hear(p_topic text) RETURNS boolean
    LANGUAGE sql STABLE SECURITY DEFINER
    SET search_path TO ''
    AS $_$
    select case
        when p_topic !~ '^(org|conversation|user):[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$' then false
        when p_topic like 'org:%' then split_part(p_topic, ':', 2)::uuid = any (private.my_org_ids())
        when p_topic like 'user:%' then split_part(p_topic, ':', 2)::uuid = (select auth.uid())
        else exists (
            select from public.conversations c
            where c.id = split_part(p_topic, ':', 2)::uuid and c.org_id = any (private.my_org_ids()))
    end
$_$;

CREATE FUNCTION private.may_send(p_conversation_id uuid, p_type text) RETURNS text
    LANGUAGE sql
    SET search_path TO ''
    AS $$
    select private.send_refusal(a.status, a.quality_rating, p.deleted_at is not null, p.opt_in_status, c.window_expires_at, p_type,
        false, private.clock())
    from public.conversations c
    join public.whatsapp_accounts a on a.id = c.whatsapp_account_id
    join public.contacts p on p.org_id = c.org_id and p.id = c.contact_id
    where c.id = p_conversation_id
$$;

COMMENT ON FUNCTION private.may_send(p_conversation_id uuid, p_type text) IS 'null, or the error code that says why not.';

CREATE FUNCTION private.member_has(p_org_id uuid, p_user_id uuid, p_permission text) RETURNS boolean
    LANGUAGE sql STABLE
    SET search_path TO ''
    AS $$
    select exists (
        select from public.org_memberships m
        where m.org_id = p_org_id and m.user_id = p_user_id and p_permission = any (private.role_permissions(m.role))
    )
$$;

CREATE FUNCTION private.members_with(p_org_id uuid, p_permission text) RETURNS uuid[]
    LANGUAGE sql STABLE
    SET search_path TO ''
    AS $$
    select coalesce(array_agg(m.user_id), '{}') from public.org_memberships m
    where m.org_id = p_org_id and p_permission = any (private.role_permissions(m.role))
$$;

CREATE FUNCTION private.merge_contact_fields(p_base public.contacts, p_fields jsonb) RETURNS public.contacts
    LANGUAGE plpgsql STABLE
    SET search_path TO ''
    AS $_$
declare
    v_key text;
    v_contact public.contacts;
begin
    if p_fields is null or jsonb_typeof(p_fields) <> 'object' then
        perform private.raise_error('CONTACT_007', '{"field": null}');
    end if;
    for v_key in select jsonb_object_keys(p_fields) loop
        if v_key not in ('phone', 'full_name', 'email', 'avatar_url', 'company', 'job_title', 'address', 'notes', 'birthday', 'lifecycle_stage') then
            perform private.raise_error('CONTACT_007', jsonb_build_object('field', v_key));
        end if;
        -- A number or a list in a text field would be stored as its JSON text.
        if v_key <> 'address' and jsonb_typeof(p_fields -> v_key) not in ('string', 'null') then
            perform private.raise_error('CONTACT_007', jsonb_build_object('field', v_key));
        end if;
        begin
            v_contact := jsonb_populate_record(p_base, jsonb_build_object(v_key, case
                when jsonb_typeof(p_fields -> v_key) = 'string' then to_jsonb(nullif(btrim(p_fields ->> v_key), ''))
                else p_fields -> v_key end));
            p_base := v_contact;
        exception when data_exception then
            perform private.raise_error('CONTACT_007', jsonb_build_object('field', v_key));
        end;
    end loop;
    if p_base.email is not null and p_base.email !~ '^[^@\s]+@[^@\s]+\.[^@\s]+$' then
        perform private.raise_error('CONTACT_007', '{"field": "email"}');
    end if;
    if p_base.lifecycle_stage is null then
        p_base.lifecycle_stage := 'lead';
    end if;
    if p_fields ? 'phone' and p_base.phone is not null then
        p_base.phone := private.contact_phone(p_base.org_id, p_base.phone);
    end if;
    return p_base;
end
$_$;

CREATE FUNCTION private.my_colleague_ids() RETURNS uuid[]
    LANGUAGE sql STABLE SECURITY DEFINER PARALLEL SAFE
    SET search_path TO ''
    AS $$
    select coalesce(array_agg(distinct m.user_id), '{}') from public.org_memberships m
    where m.org_id = any (private.my_org_ids())
$$;

CREATE FUNCTION private.my_org_ids() RETURNS uuid[]
    LANGUAGE sql STABLE SECURITY DEFINER PARALLEL SAFE
    SET search_path TO ''
    AS $$ select private.my_orgs_with('read') $$;

CREATE FUNCTION private.my_orgs_with(p_permission text) RETURNS uuid[]
    LANGUAGE sql STABLE SECURITY DEFINER PARALLEL SAFE
    SET search_path TO ''
    AS $$
    select coalesce(array_agg(m.org_id), '{}')
    from public.org_memberships m
    join public.organizations o on o.id = m.org_id and o.deleted_at is null
    where m.user_id = (select auth.uid()) and p_permission = any (private.role_permissions(m.role))
$$;

COMMENT ON FUNCTION private.my_orgs_with(p_permission text) IS 'Organisations in which the caller has a permission. Empty for anonymous callers.';

CREATE FUNCTION private.notify_members(p_org_id uuid, p_user_ids uuid[], p_kind text, p_priority text, p_data jsonb) RETURNS void
    LANGUAGE plpgsql
    SET search_path TO ''
    AS $$
begin
    insert into public.notifications (org_id, user_id, kind, priority, data)
    select p_org_id, u, p_kind, p_priority, p_data from unnest(p_user_ids) u;
    perform private.broadcast('user:' || u, 'notification', '{}') from unnest(p_user_ids) u;
end
$$;

CREATE FUNCTION private.other_statuses(p_events jsonb, p_known jsonb) RETURNS jsonb
    LANGUAGE sql IMMUTABLE
    SET search_path TO ''
    AS $$
    select jsonb_agg(e.value) from jsonb_array_elements(p_events) e
    where not exists (
        select from jsonb_to_recordset(coalesce(p_known, '[]')) as k (phone_number_id text, wa_message_id text)
        where k.phone_number_id = e.value ->> 'phone_number_id' and k.wa_message_id = e.value ->> 'wa_message_id')
$$;

CREATE FUNCTION private.queue_message(p_message_id uuid, p_lane integer) RETURNS void
    LANGUAGE plpgsql
    SET search_path TO ''
    AS $$
begin
    insert into private.outbox (message_id, org_id, whatsapp_account_id, conversation_id, lane)
    select m.id, m.org_id, m.whatsapp_account_id, m.conversation_id, p_lane from public.messages m where m.id = p_message_id;
    perform pg_catalog.pg_notify('octopush_send', '');
end
$$;

CREATE FUNCTION private.raise_error(p_code text, p_details jsonb DEFAULT NULL::jsonb) RETURNS void
    LANGUAGE plpgsql STABLE
    SET search_path TO ''
    AS $$
declare
    v_entry record;
begin
    select c.code, c.http_status, c.message, c.hint into v_entry from octopush.error_catalog() c where c.code = p_code;
    if not found then
        raise exception 'error code % is not in the catalogue', p_code;
    end if;
    -- PostgREST turns SQLSTATE PGRST into the HTTP answer; details must be text there, an object is its own error (PGRST121).
    raise exception sqlstate 'PGRST' using
        message = jsonb_build_object('code', v_entry.code, 'message', v_entry.message, 'details', p_details::text, 'hint', v_entry.hint)::text,
        detail = jsonb_build_object('status', v_entry.http_status, 'headers', '{}'::jsonb)::text;
end
$$;

COMMENT ON FUNCTION private.raise_error(p_code text, p_details jsonb) IS 'Raises an error of the catalogue. p_details: machine-readable facts, sent as JSON text.';

CREATE FUNCTION private.record_activity(p_org_id uuid, p_kind text, p_actor_id uuid DEFAULT NULL::uuid, p_contact_id uuid DEFAULT NULL::uuid, p_conversation_id uuid DEFAULT NULL::uuid, p_data jsonb DEFAULT '{}'::jsonb) RETURNS void
    LANGUAGE plpgsql
    SET search_path TO ''
    AS $$
begin
    insert into public.activity_log (org_id, kind, actor_id, contact_id, conversation_id, data)
    values (p_org_id, p_kind, p_actor_id, p_contact_id, p_conversation_id, p_data);
    perform private.broadcast('org:' || p_org_id, 'activity', '{}');
end
$$;

CREATE FUNCTION private.release_assignments(p_org_id uuid, p_user_id uuid) RETURNS void
    LANGUAGE plpgsql
    SET search_path TO ''
    AS $$
declare
    v_ids uuid[];
begin
    -- In the order of the applier, which locks many as well; and no other row than these, or a later one would come out of order.
    v_ids := array(
        select c.id from public.conversations c where c.org_id = p_org_id and c.assigned_to = p_user_id order by c.id for no key update);
    update public.conversations c set assigned_to = null, updated_at = now() where c.id = any (v_ids);
    if cardinality(v_ids) > 0 then
        perform private.broadcast_conversations(p_org_id, v_ids);
    end if;
end
$$;

CREATE FUNCTION private.require_permission(p_org_id uuid, p_permission text) RETURNS void
    LANGUAGE plpgsql STABLE
    SET search_path TO ''
    AS $$
begin
    if (select auth.uid()) is null then
        perform private.raise_error('AUTH_002');
    end if;
    -- A stranger is told the same as for an organisation that does not exist.
    if p_org_id is null or not (p_org_id = any (private.my_org_ids())) then
        perform private.raise_error('ORG_001');
    end if;
    if not (p_org_id = any (private.my_orgs_with(p_permission))) then
        perform private.raise_error('AUTH_003', jsonb_build_object('permission', p_permission));
    end if;
end
$$;

COMMENT ON FUNCTION private.require_permission(p_org_id uuid, p_permission text) IS 'Raises AUTH_002, ORG_001 or AUTH_003 unless the caller has the permission.';

CREATE FUNCTION private.resolve_contact(p_org_id uuid, p_wa_id text, p_bsuid text, p_profile_name text, p_username text) RETURNS uuid
    LANGUAGE plpgsql
    SET search_path TO ''
    AS $_$
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
$_$;

CREATE FUNCTION private.role_permissions(p_role text) RETURNS text[]
    LANGUAGE sql IMMUTABLE PARALLEL SAFE
    SET search_path TO ''
    AS $$
    select case p_role
        when 'owner' then array['read', 'contacts.write', 'contacts.delete', 'contacts.trash', 'inbox.answer', 'campaigns.manage',
            'tags.manage', 'settings.manage', 'organization.own']
        when 'admin' then array['read', 'contacts.write', 'contacts.delete', 'contacts.trash', 'inbox.answer', 'campaigns.manage',
            'tags.manage', 'settings.manage']
        when 'campaign_manager' then array['read', 'contacts.write', 'contacts.delete', 'campaigns.manage', 'tags.manage']
        when 'agent' then array['read', 'contacts.write', 'inbox.answer']
        when 'viewer' then array['read']
        else '{}'
    end
$$;

CREATE FUNCTION private.role_rank(p_role text) RETURNS integer
    LANGUAGE sql IMMUTABLE PARALLEL SAFE
    SET search_path TO ''
    AS $$ select array_position(array['viewer', 'agent', 'campaign_manager', 'admin', 'owner'], p_role) $$;

CREATE FUNCTION private.send_refusal(p_account_status text, p_quality_rating text, p_contact_deleted boolean, p_opt_in_status text, p_window_expires_at timestamp with time zone, p_type text, p_is_marketing boolean, p_now timestamp with time zone) RETURNS text
    LANGUAGE sql IMMUTABLE PARALLEL SAFE
    SET search_path TO ''
    AS $$
    select case
        when p_account_status is distinct from 'connected' then 'WA_006'
        when p_contact_deleted then 'CONTACT_004'
        when p_is_marketing and p_opt_in_status <> 'opted_in' then 'CONTACT_008'
        when p_is_marketing and p_quality_rating = 'RED' then 'WA_007'
        -- Templates are the only door when the window is shut, and none is approved before the templates domain says so.
        when p_type = 'template' then 'WA_002'
        when p_window_expires_at is null or p_window_expires_at <= p_now then 'WA_005'
    end
$$;

CREATE FUNCTION private.sender_lock_class() RETURNS integer
    LANGUAGE sql IMMUTABLE PARALLEL SAFE
    SET search_path TO ''
    AS $$ select 1868788847 $$;

CREATE FUNCTION private.set_conversation_status(p_conversation_id uuid, p_status text, p_event text) RETURNS void
    LANGUAGE plpgsql
    SET search_path TO ''
    AS $$
declare
    v_conversation public.conversations := private.conversation_for(p_conversation_id, 'inbox.answer');
    v_status text := p_status;
begin
    if p_status = 'open' and coalesce(v_conversation.window_expires_at <= private.clock(), true) then
        v_status := 'expired';
    end if;
    if v_conversation.status = v_status and v_conversation.snoozed_until is null then
        return;
    end if;
    update public.conversations set status = v_status, snoozed_until = null, is_quiet = false, updated_at = now() where id = p_conversation_id;
    perform private.add_system_message(v_conversation, p_event);
    perform private.record_activity(v_conversation.org_id, 'conversation.' || p_event, (select auth.uid()), v_conversation.contact_id, p_conversation_id);
    perform private.broadcast_conversations(v_conversation.org_id, array[p_conversation_id]);
end
$$;

CREATE FUNCTION private.settle_abandoned_sends(p_account_id uuid, p_new_holder uuid) RETURNS void
    LANGUAGE plpgsql
    SET search_path TO ''
    AS $$
declare
    v_changed jsonb;
begin
    -- Messages before outbox, as everywhere: the old holder may be reporting at this moment.
    perform m.id from public.messages m
    where m.id in (
        select o.message_id from private.outbox o
        where o.whatsapp_account_id = p_account_id and o.state = 'sending' and o.holder <> p_new_holder)
    order by m.id for no key update;
    with abandoned as (
        update private.outbox o set state = 'uncertain'
        where o.whatsapp_account_id = p_account_id and o.state = 'sending' and o.holder <> p_new_holder
        returning o.message_id
    ), marked as (
        update public.messages m set is_uncertain = true, error_code = 'WA_008'
        from abandoned a where m.id = a.message_id and m.status = 'pending' and m.wa_message_id is null
        returning m.id, m.conversation_id
    )
    select jsonb_agg(to_jsonb(m)) into v_changed from marked m;
    if v_changed is not null then
        perform private.broadcast_messages(c.conversation_id, array_agg(c.id))
        from jsonb_to_recordset(v_changed) as c (id uuid, conversation_id uuid) group by c.conversation_id;
    end if;
end
$$;

CREATE FUNCTION private.settle_parked_statuses(p_accepted jsonb) RETURNS void
    LANGUAGE plpgsql
    SET search_path TO ''
    AS $$
declare
    v_events jsonb;
begin
    with taken as (
        delete from private.parked_statuses s
        using jsonb_to_recordset(p_accepted) as a (id uuid, wa_message_id text), public.messages m, public.whatsapp_accounts w
        where s.wa_message_id = a.wa_message_id and m.id = a.id and w.id = m.whatsapp_account_id and s.phone_number_id = w.phone_number_id
        returning a.id, s.status
    )
    select jsonb_agg(t.status || jsonb_build_object('message_id', t.id)) into v_events from taken t;
    if v_events is not null then
        perform private.settle_statuses(v_events);
    end if;
end
$$;

CREATE FUNCTION private.settle_statuses(p_events jsonb) RETURNS void
    LANGUAGE plpgsql
    SET search_path TO ''
    AS $$
declare
    v_changed jsonb;
begin
    perform m.id from public.messages m
    where m.id in (select e.message_id from jsonb_to_recordset(p_events) as e (message_id uuid))
    order by m.id for no key update;

    with folded as (
        select e.message_id,
            (array_agg(e.status order by private.status_rank(e.status) desc))[1] as status,
            min(e.occurred_at) filter (where e.status = 'sent') as sent_at,
            min(e.occurred_at) filter (where e.status = 'delivered') as delivered_at,
            min(e.occurred_at) filter (where e.status = 'read') as read_at,
            min(e.occurred_at) filter (where e.status = 'failed') as failed_at,
            max(e.wa_message_id) as wa_message_id,
            max(e.error_code) as error_code, max(e.error_message) as error_message
        from jsonb_to_recordset(p_events) as e (message_id uuid, status text, occurred_at timestamptz, wa_message_id text, error_code text, error_message text)
        where private.status_rank(e.status) is not null
        group by e.message_id
    ), climbed as (
        select m.id, case when private.status_rank(f.status) > private.status_rank(m.status) then f.status else m.status end as status,
            coalesce(m.wa_message_id, f.wa_message_id) as wa_message_id,
            -- A message that was delivered was sent: Meta skips states (reference/whatsapp.md §4).
            least(m.sent_at, f.sent_at, f.delivered_at, f.read_at) as sent_at,
            least(m.delivered_at, f.delivered_at, f.read_at) as delivered_at,
            least(m.read_at, f.read_at) as read_at,
            least(m.failed_at, f.failed_at) as failed_at,
            coalesce(f.error_code, m.error_code) as error_code, coalesce(f.error_message, m.error_message) as error_message
        from folded f join public.messages m on m.id = f.message_id
    ), changed as (
        update public.messages m set
            status = c.status, wa_message_id = c.wa_message_id, is_uncertain = false, accepted_at = coalesce(m.accepted_at, now()),
            sent_at = c.sent_at, delivered_at = c.delivered_at, read_at = c.read_at, failed_at = c.failed_at,
            error_code = case when c.status = 'failed' then c.error_code end,
            error_message = case when c.status = 'failed' then c.error_message end
        from climbed c
        where m.id = c.id and (m.is_uncertain
            or (m.status, m.wa_message_id, m.sent_at, m.delivered_at, m.read_at, m.failed_at)
                is distinct from (c.status, c.wa_message_id, c.sent_at, c.delivered_at, c.read_at, c.failed_at))
        returning m.id, m.org_id, m.conversation_id
    )
    select jsonb_agg(to_jsonb(c)) into v_changed from changed c;
    if v_changed is null then
        return;
    end if;

    -- Meta knows these messages: they must never be handed over again, whatever became of our own record of the call.
    delete from private.outbox o using jsonb_to_recordset(v_changed) as c (id uuid) where o.message_id = c.id;
    perform private.broadcast_messages(c.conversation_id, array_agg(c.id))
    from jsonb_to_recordset(v_changed) as c (id uuid, conversation_id uuid) group by c.conversation_id;
    perform private.broadcast_conversations(v.org_id, array_agg(v.id))
    from jsonb_to_recordset(v_changed) as c (id uuid, conversation_id uuid)
    join public.conversations v on v.id = c.conversation_id and v.last_message_id = c.id and not v.is_quiet
    group by v.org_id;
end
$$;

CREATE FUNCTION private.status_rank(p_status text) RETURNS integer
    LANGUAGE sql IMMUTABLE PARALLEL SAFE
    SET search_path TO ''
    AS $$ select array_position(array['pending', 'sent', 'failed', 'delivered', 'read'], p_status) $$;

CREATE TABLE public.messages (
    id uuid DEFAULT octopush.uuid_v7() NOT NULL,
    org_id uuid NOT NULL,
    conversation_id uuid NOT NULL,
    whatsapp_account_id uuid NOT NULL,
    contact_id uuid NOT NULL,
    direction text NOT NULL,
    type text NOT NULL,
    body text,
    payload jsonb,
    wa_message_id text,
    reply_to_wa_message_id text,
    reply_to_message_id uuid,
    status text NOT NULL,
    is_uncertain boolean DEFAULT false NOT NULL,
    error_code text,
    error_message text,
    client_key text,
    send_try smallint DEFAULT 0 NOT NULL,
    sent_by uuid,
    reactions jsonb DEFAULT '{}'::jsonb NOT NULL,
    occurred_at timestamp with time zone DEFAULT clock_timestamp() NOT NULL,
    accepted_at timestamp with time zone,
    sent_at timestamp with time zone,
    delivered_at timestamp with time zone,
    read_at timestamp with time zone,
    failed_at timestamp with time zone,
    created_at timestamp with time zone DEFAULT clock_timestamp() NOT NULL,
    CONSTRAINT messages__direction_status__check CHECK (((direction = 'outbound'::text) <> (status = 'received'::text))),
    CONSTRAINT messages__internal_type__check CHECK ((((direction = 'internal'::text) = (type = ANY (ARRAY['system'::text, 'note'::text]))) OR (direction = 'inbound'::text))),
    CONSTRAINT messages_body_check CHECK ((length(body) <= 10000)),
    CONSTRAINT messages_client_key_check CHECK (((length(client_key) >= 8) AND (length(client_key) <= 100))),
    CONSTRAINT messages_direction_check CHECK ((direction = ANY (ARRAY['inbound'::text, 'outbound'::text, 'internal'::text]))),
    CONSTRAINT messages_status_check CHECK ((status = ANY (ARRAY['received'::text, 'pending'::text, 'sent'::text, 'failed'::text, 'delivered'::text, 'read'::text]))),
    CONSTRAINT messages_type_check CHECK ((type = ANY (ARRAY['text'::text, 'image'::text, 'video'::text, 'audio'::text, 'document'::text, 'sticker'::text, 'location'::text, 'contacts'::text, 'interactive'::text, 'button'::text, 'reaction'::text, 'order'::text, 'template'::text, 'system'::text, 'note'::text, 'unsupported'::text]))),
    CONSTRAINT messages_wa_message_id_check CHECK ((length(wa_message_id) <= 512))
)
WITH (fillfactor='90', autovacuum_vacuum_scale_factor='0.05', autovacuum_analyze_scale_factor='0.05');

COMMENT ON TABLE public.messages IS 'Everything said in a conversation, notes and system lines included. Ordered by (occurred_at, id).';

COMMENT ON COLUMN public.messages.is_uncertain IS 'Handed to Meta, but the answer was lost: settled by a status webhook, never sent again by itself.';

COMMENT ON COLUMN public.messages.error_code IS 'A code of the error catalogue, or Meta''s numeric code as text.';

COMMENT ON COLUMN public.messages.client_key IS 'The caller''s idempotency key: the same key again returns the same message.';

COMMENT ON COLUMN public.messages.occurred_at IS 'Meta''s time for inbound messages, ours for the rest.';

CREATE FUNCTION private.touch_conversation(p_conversation_id uuid, p_message public.messages) RETURNS void
    LANGUAGE sql
    SET search_path TO ''
    AS $$
    update public.conversations set
        last_message_id = p_message.id, last_message_at = p_message.occurred_at, last_message_type = p_message.type,
        last_message_preview = left(p_message.body, 160), last_message_direction = p_message.direction,
        is_quiet = false, updated_at = now()
    where id = p_conversation_id
$$;

CREATE FUNCTION private.verified_email() RETURNS text
    LANGUAGE plpgsql STABLE SECURITY DEFINER
    SET search_path TO ''
    AS $$
declare
    v_user record;
begin
    select u.email, u.email_confirmed_at into v_user from auth.users u where u.id = (select auth.uid());
    if not found then
        perform private.raise_error('AUTH_002');
    end if;
    if v_user.email_confirmed_at is null then
        perform private.raise_error('AUTH_004');
    end if;
    return lower(v_user.email);
end
$$;

CREATE FUNCTION private.with_contacts(p_events jsonb) RETURNS jsonb
    LANGUAGE plpgsql
    SET search_path TO ''
    AS $$
declare
    v_senders jsonb;
begin
    with senders as materialized (
        select distinct on (x.org_id, x.wa_id, x.bsuid) x.*
        from jsonb_to_recordset(p_events) as x (org_id uuid, wa_id text, bsuid text, profile_name text, username text, occurred_at timestamptz)
        order by x.org_id, x.wa_id, x.bsuid, x.occurred_at desc
    ), resolved as materialized (
        select s.*, private.resolve_contact(s.org_id, s.wa_id, s.bsuid, s.profile_name, s.username) as contact_id from senders s
    )
    select jsonb_agg(to_jsonb(r)) into v_senders from resolved r;
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

CREATE FUNCTION public.accept_invitation(p_token text) RETURNS uuid
    LANGUAGE plpgsql SECURITY DEFINER
    SET search_path TO ''
    AS $$
declare
    v_email text := private.verified_email();
    v_user_id uuid := (select auth.uid());
    v_invitation record;
begin
    select i.id, i.org_id, i.role, i.email into v_invitation
    from public.org_invitations i
    join public.organizations o on o.id = i.org_id and o.deleted_at is null
    where i.token_hash = extensions.digest(coalesce(p_token, ''), 'sha256')
        and i.accepted_at is null and i.revoked_at is null and i.expires_at > private.clock()
    for update of i;
    -- A right token in the wrong hands is told nothing more than a wrong token.
    if not found or v_invitation.email <> v_email then
        perform private.raise_error('ORG_003');
    end if;
    insert into public.profiles (user_id, full_name, email) values (v_user_id, split_part(v_email, '@', 1), v_email)
    on conflict (user_id) do update set email = excluded.email, updated_at = now();
    insert into public.org_memberships (org_id, user_id, role) values (v_invitation.org_id, v_user_id, v_invitation.role)
    on conflict (org_id, user_id) do nothing;
    update public.org_invitations set accepted_at = now() where id = v_invitation.id;
    perform private.record_activity(v_invitation.org_id, 'member.joined', v_user_id, p_data => jsonb_build_object('role', v_invitation.role));
    return v_invitation.org_id;
end
$$;

COMMENT ON FUNCTION public.accept_invitation(p_token text) IS 'Joins the organisation of the invitation; returns its id. Errors: AUTH_002, AUTH_004, ORG_003.';

CREATE FUNCTION public.add_note(p_conversation_id uuid, p_body text, p_client_key text) RETURNS public.messages
    LANGUAGE plpgsql SECURITY DEFINER
    SET search_path TO ''
    AS $$
declare
    v_conversation public.conversations := private.conversation_for(p_conversation_id, 'inbox.answer');
    v_message public.messages;
begin
    if p_body is null or btrim(p_body, E' \t\r\n') = '' or length(p_body) > 4096 then
        perform private.raise_error('MESSAGE_002', '{"limit": 4096}');
    end if;
    if p_client_key is null or length(p_client_key) not between 8 and 100 then
        perform private.raise_error('MESSAGE_005');
    end if;
    select m.* into v_message from public.messages m where m.org_id = v_conversation.org_id and m.client_key = p_client_key;
    if found then
        if v_message.type <> 'note' or v_message.conversation_id <> p_conversation_id or v_message.body <> p_body then
            perform private.raise_error('MESSAGE_005');
        end if;
        return v_message;
    end if;
    insert into public.messages (org_id, conversation_id, whatsapp_account_id, contact_id, direction, type, body, status, client_key, sent_by)
    values (v_conversation.org_id, p_conversation_id, v_conversation.whatsapp_account_id, v_conversation.contact_id, 'internal', 'note',
        p_body, 'received', p_client_key, (select auth.uid()))
    on conflict (org_id, client_key) where client_key is not null do nothing
    returning * into v_message;
    if not found then
        perform private.raise_error('MESSAGE_005');
    end if;
    perform private.record_activity(v_conversation.org_id, 'conversation.note_added', (select auth.uid()), v_conversation.contact_id, p_conversation_id);
    perform private.broadcast_messages(p_conversation_id, array[v_message.id]);
    return v_message;
end
$$;

COMMENT ON FUNCTION public.add_note(p_conversation_id uuid, p_body text, p_client_key text) IS 'An internal note: a message of direction internal, which no sender ever claims. Errors: AUTH_003, CONVERSATION_001, MESSAGE_002, MESSAGE_005.';

CREATE FUNCTION public.assign_conversation(p_conversation_id uuid, p_user_id uuid) RETURNS void
    LANGUAGE plpgsql SECURITY DEFINER
    SET search_path TO ''
    AS $$
declare
    v_conversation public.conversations;
begin
    -- Memberships before conversations, as when a member is removed: the right to answer holds until this commits.
    perform from public.conversations c join public.org_memberships m on m.org_id = c.org_id
    where c.id = p_conversation_id and c.org_id = any (private.my_org_ids()) and m.user_id = p_user_id
    for share of m;
    v_conversation := private.conversation_for(p_conversation_id, 'inbox.answer');
    if v_conversation.assigned_to is not distinct from p_user_id then
        return;
    end if;
    if p_user_id is not null and not private.member_has(v_conversation.org_id, p_user_id, 'inbox.answer') then
        perform private.raise_error('CONVERSATION_002');
    end if;
    update public.conversations set assigned_to = p_user_id, updated_at = now() where id = p_conversation_id;
    perform private.add_system_message(v_conversation, 'assigned', jsonb_build_object('user_id', p_user_id));
    perform private.record_activity(v_conversation.org_id, 'conversation.assigned', (select auth.uid()), v_conversation.contact_id,
        p_conversation_id, jsonb_build_object('user_id', p_user_id));
    if p_user_id is not null and p_user_id <> (select auth.uid()) then
        perform private.notify_members(v_conversation.org_id, array[p_user_id], 'conversation.assigned', 'high',
            jsonb_build_object('conversation_id', p_conversation_id, 'contact_id', v_conversation.contact_id, 'by', (select auth.uid())));
    end if;
    perform private.broadcast_conversations(v_conversation.org_id, array[p_conversation_id]);
end
$$;

COMMENT ON FUNCTION public.assign_conversation(p_conversation_id uuid, p_user_id uuid) IS 'null takes the assignment back. Errors: AUTH_003, CONVERSATION_001, CONVERSATION_002.';

CREATE FUNCTION public.complete_onboarding(p_full_name text, p_org_name text, p_country text DEFAULT 'MY'::text, p_time_zone text DEFAULT 'Asia/Kuala_Lumpur'::text) RETURNS uuid
    LANGUAGE plpgsql SECURITY DEFINER
    SET search_path TO ''
    AS $$
declare
    v_email text := private.verified_email();
    v_user_id uuid := (select auth.uid());
    v_org_id uuid;
begin
    perform private.check_organization_fields(p_org_name, p_country, p_time_zone);
    insert into public.profiles (user_id, full_name, email)
    values (v_user_id, left(btrim(coalesce(p_full_name, '')), 120), v_email)
    on conflict (user_id) do update set full_name = excluded.full_name, email = excluded.email, updated_at = now();
    -- The upsert above holds the profile's row lock: a second call at the same time waits here and then finds the membership.
    -- Who deleted their organisation may start again.
    if exists (
        select from public.org_memberships m join public.organizations o on o.id = m.org_id and o.deleted_at is null
        where m.user_id = v_user_id
    ) then
        perform private.raise_error('ORG_002');
    end if;
    insert into public.organizations (name, country, time_zone)
    values (btrim(p_org_name), p_country, p_time_zone)
    returning id into v_org_id;
    insert into public.org_memberships (org_id, user_id, role) values (v_org_id, v_user_id, 'owner');
    perform private.record_activity(v_org_id, 'organization.created', v_user_id);
    return v_org_id;
end
$$;

COMMENT ON FUNCTION public.complete_onboarding(p_full_name text, p_org_name text, p_country text, p_time_zone text) IS 'Makes the caller''s organisation and their owner membership; returns its id. Errors: AUTH_002, AUTH_004, ORG_002, ORG_005.';

CREATE FUNCTION public.connect_whatsapp_account(p_org_id uuid, p_waba_id text, p_phone_number_id text, p_access_token text) RETURNS uuid
    LANGUAGE plpgsql SECURITY DEFINER
    SET search_path TO ''
    AS $_$
declare
    v_account_id uuid;
    v_secret_id uuid;
    v_old_secret_id uuid;
begin
    perform private.require_permission(p_org_id, 'settings.manage');
    if coalesce(p_waba_id, '') !~ '^[0-9]{1,32}$' then
        perform private.raise_error('WA_010', '{"field": "waba_id"}');
    end if;
    if coalesce(p_phone_number_id, '') !~ '^[0-9]{1,32}$' then
        perform private.raise_error('WA_010', '{"field": "phone_number_id"}');
    end if;
    if p_access_token is null or length(p_access_token) not between 8 and 2000 or p_access_token !~ '^[[:graph:]]+$' then
        perform private.raise_error('WA_010', '{"field": "access_token"}');
    end if;
    if exists (
        select from public.whatsapp_accounts a
        where a.phone_number_id = p_phone_number_id and a.status = 'connected' and a.org_id <> p_org_id
    ) then
        perform private.raise_error('WA_009');
    end if;
    perform from public.organizations o where o.id = p_org_id for no key update;
    -- Again after the wait: the organisation may be gone, or the right.
    perform private.require_permission(p_org_id, 'settings.manage');
    select a.id into v_account_id from public.whatsapp_accounts a
    where a.org_id = p_org_id and a.phone_number_id = p_phone_number_id order by a.created_at limit 1;
    if v_account_id is null then
        insert into public.whatsapp_accounts (org_id, waba_id, phone_number_id) values (p_org_id, p_waba_id, p_phone_number_id)
        returning id into v_account_id;
    else
        update public.whatsapp_accounts set status = 'connecting', status_reason = null, updated_at = now()
        where id = v_account_id;
    end if;
    v_secret_id := vault.create_secret(p_access_token, 'whatsapp:' || v_account_id || ':' || octopush.uuid_v7(), 'WhatsApp access token');
    select c.secret_id into v_old_secret_id from private.whatsapp_credentials c where c.whatsapp_account_id = v_account_id;
    insert into private.whatsapp_credentials (whatsapp_account_id, secret_id, waba_id) values (v_account_id, v_secret_id, p_waba_id)
    on conflict (whatsapp_account_id) do update
    set secret_id = excluded.secret_id, waba_id = excluded.waba_id, checked_at = null, check_attempts = 0, check_after = private.clock();
    delete from vault.secrets where id = v_old_secret_id;
    perform private.record_activity(p_org_id, 'whatsapp_account.connecting', (select auth.uid()),
        p_data => jsonb_build_object('whatsapp_account_id', v_account_id));
    perform private.broadcast('org:' || p_org_id, 'account', jsonb_build_object('whatsapp_account_id', v_account_id));
    perform pg_catalog.pg_notify('octopush_maintenance', '');
    return v_account_id;
end
$_$;

COMMENT ON FUNCTION public.connect_whatsapp_account(p_org_id uuid, p_waba_id text, p_phone_number_id text, p_access_token text) IS 'Stores the token and asks a worker to check it with Meta: status connecting, then connected or error. Calling again replaces the token. Errors: AUTH_003, ORG_001, WA_009, WA_010 (details.field).';

CREATE FUNCTION public.create_contact(p_org_id uuid, p_fields jsonb) RETURNS public.contacts
    LANGUAGE plpgsql SECURITY DEFINER
    SET search_path TO ''
    AS $$
declare
    v_contact public.contacts;
    v_existing record;
    v_field text;
begin
    perform private.require_permission(p_org_id, 'contacts.write');
    v_contact.org_id := p_org_id;
    v_contact := private.merge_contact_fields(v_contact, p_fields);
    if v_contact.phone is null then
        perform private.raise_error('CONTACT_003');
    end if;
    begin
        insert into public.contacts (org_id, phone, full_name, email, avatar_url, company, job_title, address, notes, birthday, lifecycle_stage)
        values (p_org_id, v_contact.phone, v_contact.full_name, v_contact.email, v_contact.avatar_url, v_contact.company,
            v_contact.job_title, v_contact.address, v_contact.notes, v_contact.birthday, v_contact.lifecycle_stage)
        returning * into v_contact;
    exception
        when unique_violation then
            select c.id, c.deleted_at into v_existing from public.contacts c where c.org_id = p_org_id and c.phone = v_contact.phone;
            perform private.raise_error(case when v_existing.deleted_at is null then 'CONTACT_002' else 'CONTACT_004' end,
                jsonb_build_object('contact_id', v_existing.id));
        when check_violation then
            get stacked diagnostics v_field = constraint_name;
            perform private.raise_error('CONTACT_007', jsonb_build_object('field', split_part(replace(v_field, 'contacts_', ''), '_check', 1)));
    end;
    perform private.record_activity(p_org_id, 'contact.created', (select auth.uid()), v_contact.id);
    return v_contact;
end
$$;

COMMENT ON FUNCTION public.create_contact(p_org_id uuid, p_fields jsonb) IS 'p_fields: phone (required, any notation; the organisation''s country is the default) and PRD §5.1''s fields. Errors: AUTH_003, ORG_001, CONTACT_002 (details.contact_id), CONTACT_003, CONTACT_004, CONTACT_007 (details.field).';

CREATE TABLE public.tags (
    id uuid DEFAULT octopush.uuid_v7() NOT NULL,
    org_id uuid NOT NULL,
    name text NOT NULL,
    color text DEFAULT '#868e96'::text NOT NULL,
    created_at timestamp with time zone DEFAULT now() NOT NULL,
    CONSTRAINT tags_color_check CHECK ((color ~ '^#[0-9a-fA-F]{6}$'::text)),
    CONSTRAINT tags_name_check CHECK ((((length(btrim(name)) >= 1) AND (length(btrim(name)) <= 50)) AND (name = btrim(name))))
);

COMMENT ON TABLE public.tags IS 'Labels an organisation puts on its contacts; at most 50.';

CREATE FUNCTION public.create_tag(p_org_id uuid, p_name text, p_color text DEFAULT '#868e96'::text) RETURNS public.tags
    LANGUAGE plpgsql SECURITY DEFINER
    SET search_path TO ''
    AS $$
declare
    v_tag public.tags;
begin
    perform private.require_permission(p_org_id, 'tags.manage');
    -- Serialises makers of tags, or two of them could both see 49.
    perform from public.organizations o where o.id = p_org_id for no key update;
    if (select count(*) from public.tags t where t.org_id = p_org_id) >= 50 then
        perform private.raise_error('TAG_002');
    end if;
    begin
        insert into public.tags (org_id, name, color) values (p_org_id, btrim(p_name), coalesce(p_color, '#868e96')) returning * into v_tag;
    exception
        when unique_violation then
            perform private.raise_error('TAG_003');
        when check_violation or not_null_violation then
            perform private.raise_error('TAG_004');
    end;
    return v_tag;
end
$$;

COMMENT ON FUNCTION public.create_tag(p_org_id uuid, p_name text, p_color text) IS 'p_color: #rrggbb. Errors: AUTH_003, ORG_001, TAG_002 (limit), TAG_003 (name taken), TAG_004 (invalid).';

CREATE FUNCTION public.delete_contact(p_id uuid) RETURNS void
    LANGUAGE plpgsql SECURITY DEFINER
    SET search_path TO ''
    AS $$
declare
    v_contact public.contacts := private.contact_for(p_id, 'contacts.delete');
begin
    update public.contacts set deleted_at = now(), updated_at = clock_timestamp() where id = p_id and deleted_at is null;
    if found then
        perform private.record_activity(v_contact.org_id, 'contact.deleted', (select auth.uid()), p_id);
    end if;
end
$$;

COMMENT ON FUNCTION public.delete_contact(p_id uuid) IS 'Moves a contact to the trash. Errors: AUTH_003, CONTACT_001.';

CREATE FUNCTION public.delete_organization(p_org_id uuid, p_confirm_name text) RETURNS void
    LANGUAGE plpgsql SECURITY DEFINER
    SET search_path TO ''
    AS $$
begin
    perform private.require_permission(p_org_id, 'organization.own');
    update public.organizations set deleted_at = now(), updated_at = now() where id = p_org_id and name = p_confirm_name;
    if not found then
        perform private.raise_error('ORG_005', '{"field": "name"}');
    end if;
    perform private.disconnect_account(a.id) from public.whatsapp_accounts a where a.org_id = p_org_id and a.status <> 'disconnected';
end
$$;

COMMENT ON FUNCTION public.delete_organization(p_org_id uuid, p_confirm_name text) IS 'Hides the organisation from everybody and disconnects its numbers; p_confirm_name must be its name. Errors: AUTH_003, ORG_001, ORG_005.';

CREATE FUNCTION public.delete_tag(p_id uuid) RETURNS void
    LANGUAGE plpgsql SECURITY DEFINER
    SET search_path TO ''
    AS $$
declare
    v_org_id uuid;
begin
    select t.org_id into v_org_id from public.tags t where t.id = p_id and t.org_id = any (private.my_org_ids());
    if not found then
        perform private.raise_error('TAG_001');
    end if;
    perform private.require_permission(v_org_id, 'tags.manage');
    delete from public.tags where id = p_id;
end
$$;

COMMENT ON FUNCTION public.delete_tag(p_id uuid) IS 'Also takes it off every contact. Errors: AUTH_003, TAG_001.';

CREATE FUNCTION public.disconnect_whatsapp_account(p_id uuid) RETURNS void
    LANGUAGE plpgsql SECURITY DEFINER
    SET search_path TO ''
    AS $$
declare
    v_org_id uuid;
begin
    select a.org_id into v_org_id from public.whatsapp_accounts a where a.id = p_id and a.org_id = any (private.my_org_ids());
    if not found then
        perform private.raise_error('WA_006');
    end if;
    perform private.require_permission(v_org_id, 'settings.manage');
    perform private.disconnect_account(p_id);
    perform private.record_activity(v_org_id, 'whatsapp_account.disconnected', (select auth.uid()),
        p_data => jsonb_build_object('whatsapp_account_id', p_id));
end
$$;

COMMENT ON FUNCTION public.disconnect_whatsapp_account(p_id uuid) IS 'Forgets the token, fails what waits to be sent (WA_006), keeps the history. Errors: AUTH_003, WA_006.';

CREATE FUNCTION public.invite_member(p_org_id uuid, p_email text, p_role text) RETURNS TABLE(id uuid, token text)
    LANGUAGE plpgsql SECURITY DEFINER
    SET search_path TO ''
    AS $_$
declare
    v_email text := lower(btrim(coalesce(p_email, '')));
    -- 256 bits: cannot be guessed, and the hash needs no salt.
    v_token text := encode(extensions.gen_random_bytes(32), 'hex');
    v_id uuid;
begin
    perform private.require_permission(p_org_id, 'settings.manage');
    if v_email !~ '^[^@\s]+@[^@\s]+\.[^@\s]+$' or length(v_email) > 320 then
        perform private.raise_error('ORG_008');
    end if;
    if p_role is null or private.role_rank(p_role) is null or p_role = 'owner' then
        perform private.raise_error('ORG_007', jsonb_build_object('role', p_role));
    end if;
    if exists (
        select from public.org_memberships m join public.profiles p on p.user_id = m.user_id
        where m.org_id = p_org_id and lower(p.email) = v_email
    ) then
        perform private.raise_error('ORG_002');
    end if;
    -- A new invitation replaces the open one: the old link stops working. One at a time, or two for the same address would collide.
    perform from public.organizations o where o.id = p_org_id for no key update;
    perform private.require_permission(p_org_id, 'settings.manage');
    update public.org_invitations i set revoked_at = now()
    where i.org_id = p_org_id and i.email = v_email and i.accepted_at is null and i.revoked_at is null;
    insert into public.org_invitations (org_id, email, role, token_hash, invited_by, expires_at)
    values (p_org_id, v_email, p_role, extensions.digest(v_token, 'sha256'), (select auth.uid()), private.clock() + interval '7 days')
    returning org_invitations.id into v_id;
    perform private.record_activity(p_org_id, 'member.invited', (select auth.uid()), p_data => jsonb_build_object('role', p_role));
    return query select v_id, v_token;
end
$_$;

COMMENT ON FUNCTION public.invite_member(p_org_id uuid, p_email text, p_role text) IS 'Returns the invitation and its token, once: the link is <app>/invitations/<token>. Errors: AUTH_003, ORG_001, ORG_002, ORG_007, ORG_008.';

CREATE FUNCTION public.mark_conversation_read(p_conversation_id uuid) RETURNS void
    LANGUAGE plpgsql SECURITY DEFINER
    SET search_path TO ''
    AS $$
declare
    v_conversation public.conversations := private.conversation_for(p_conversation_id, 'inbox.answer');
begin
    if v_conversation.unread_count = 0 then
        return;
    end if;
    update public.conversations set unread_count = 0, last_read_at = clock_timestamp(), updated_at = now() where id = p_conversation_id;
    perform private.broadcast_conversations(v_conversation.org_id, array[p_conversation_id]);
end
$$;

COMMENT ON FUNCTION public.mark_conversation_read(p_conversation_id uuid) IS 'Errors: AUTH_003, CONVERSATION_001.';

CREATE FUNCTION public.mark_conversation_unread(p_conversation_id uuid) RETURNS void
    LANGUAGE plpgsql SECURITY DEFINER
    SET search_path TO ''
    AS $$
declare
    v_conversation public.conversations := private.conversation_for(p_conversation_id, 'inbox.answer');
    v_last timestamptz;
begin
    select m.created_at into v_last from public.messages m
    where m.conversation_id = p_conversation_id and m.direction = 'inbound' order by m.created_at desc limit 1;
    if v_last is null or v_conversation.unread_count > 0 then
        return;
    end if;
    -- Just before the newest inbound message, so that a recount gives what is stored.
    update public.conversations c set
        last_read_at = v_last - interval '1 microsecond', updated_at = now(),
        unread_count = (select count(*) from public.messages m
            where m.conversation_id = p_conversation_id and m.direction = 'inbound' and m.created_at >= v_last)
    where c.id = p_conversation_id;
    perform private.broadcast_conversations(v_conversation.org_id, array[p_conversation_id]);
end
$$;

COMMENT ON FUNCTION public.mark_conversation_unread(p_conversation_id uuid) IS 'From the contact''s last message on. Errors: AUTH_003, CONVERSATION_001.';

CREATE FUNCTION public.mark_notifications_read(p_org_id uuid, p_ids uuid[] DEFAULT NULL::uuid[]) RETURNS integer
    LANGUAGE plpgsql SECURITY DEFINER
    SET search_path TO ''
    AS $$
declare
    v_count integer;
begin
    perform private.require_permission(p_org_id, 'read');
    update public.notifications n set read_at = now()
    where n.org_id = p_org_id and n.user_id = (select auth.uid()) and n.read_at is null and (p_ids is null or n.id = any (p_ids));
    get diagnostics v_count = row_count;
    return v_count;
end
$$;

COMMENT ON FUNCTION public.mark_notifications_read(p_org_id uuid, p_ids uuid[]) IS 'The caller''s own notifications, all when p_ids is null; returns how many. Errors: AUTH_002, ORG_001.';

CREATE FUNCTION public.remove_member(p_org_id uuid, p_user_id uuid) RETURNS void
    LANGUAGE plpgsql SECURITY DEFINER
    SET search_path TO ''
    AS $$
declare
    v_role text;
begin
    -- Anyone may leave; removing others needs the right.
    v_role := private.lock_member(p_org_id, p_user_id, case when p_user_id = (select auth.uid()) then 'read' else 'settings.manage' end);
    if v_role = 'owner' then
        perform private.raise_error('ORG_004');
    end if;
    delete from public.org_memberships where org_id = p_org_id and user_id = p_user_id;
    delete from public.notifications where org_id = p_org_id and user_id = p_user_id;
    perform private.release_assignments(p_org_id, p_user_id);
    perform private.record_activity(p_org_id, 'member.removed', (select auth.uid()),
        p_data => jsonb_build_object('user_id', p_user_id, 'role', v_role));
end
$$;

COMMENT ON FUNCTION public.remove_member(p_org_id uuid, p_user_id uuid) IS 'Removes a member, or lets the caller leave. Errors: AUTH_003, ORG_001, ORG_004, ORG_006.';

CREATE FUNCTION public.reopen_conversation(p_conversation_id uuid) RETURNS void
    LANGUAGE sql SECURITY DEFINER
    SET search_path TO ''
    AS $$ select private.set_conversation_status(p_conversation_id, 'open', 'reopened') $$;

COMMENT ON FUNCTION public.reopen_conversation(p_conversation_id uuid) IS 'Becomes open, or expired when the 24-hour window is over. Errors: AUTH_003, CONVERSATION_001.';

CREATE FUNCTION public.resolve_conversation(p_conversation_id uuid) RETURNS void
    LANGUAGE sql SECURITY DEFINER
    SET search_path TO ''
    AS $$ select private.set_conversation_status(p_conversation_id, 'resolved', 'resolved') $$;

COMMENT ON FUNCTION public.resolve_conversation(p_conversation_id uuid) IS 'Errors: AUTH_003, CONVERSATION_001.';

CREATE FUNCTION public.restore_contact(p_id uuid) RETURNS void
    LANGUAGE plpgsql SECURITY DEFINER
    SET search_path TO ''
    AS $$
declare
    v_contact public.contacts := private.contact_for(p_id, 'contacts.trash');
begin
    update public.contacts set deleted_at = null, updated_at = clock_timestamp() where id = p_id and deleted_at is not null;
    if found then
        perform private.record_activity(v_contact.org_id, 'contact.restored', (select auth.uid()), p_id);
    end if;
end
$$;

COMMENT ON FUNCTION public.restore_contact(p_id uuid) IS 'Takes a contact back from the trash (undo of delete_contact). Errors: AUTH_003, CONTACT_001.';

CREATE FUNCTION public.retry_message(p_message_id uuid) RETURNS public.messages
    LANGUAGE plpgsql SECURITY DEFINER
    SET search_path TO ''
    AS $$
declare
    v_message public.messages;
    v_conversation public.conversations;
    v_refusal text;
begin
    select m.* into v_message from public.messages m where m.id = p_message_id and m.org_id = any (private.my_org_ids());
    if not found then
        perform private.raise_error('MESSAGE_001');
    end if;
    v_conversation := private.conversation_for(v_message.conversation_id, 'inbox.answer');
    select m.* into v_message from public.messages m where m.id = p_message_id for no key update;
    -- An uncertain message may have reached the customer; sending it again is a person's decision, made with a new message.
    if v_message.direction <> 'outbound' or v_message.status <> 'failed' or v_message.is_uncertain then
        perform private.raise_error('MESSAGE_004');
    end if;
    v_refusal := private.may_send(v_message.conversation_id, v_message.type);
    if v_refusal is not null then
        perform private.raise_error(v_refusal, jsonb_build_object('window_expires_at', v_conversation.window_expires_at));
    end if;
    update public.messages m set
        send_try = m.send_try + 1, status = 'pending', wa_message_id = null, error_code = null, error_message = null, failed_at = null, accepted_at = null, sent_at = null,
        occurred_at = clock_timestamp()
    where m.id = p_message_id returning m.* into v_message;
    perform private.touch_conversation(v_message.conversation_id, v_message);
    perform private.queue_message(p_message_id, 0);
    perform private.broadcast_messages(v_message.conversation_id, array[p_message_id]);
    perform private.broadcast_conversations(v_message.org_id, array[v_message.conversation_id]);
    return v_message;
end
$$;

COMMENT ON FUNCTION public.retry_message(p_message_id uuid) IS 'Sends a failed message again. Errors: AUTH_003, MESSAGE_001, MESSAGE_004, WA_002, WA_005, WA_006, CONTACT_004.';

CREATE FUNCTION public.revoke_invitation(p_id uuid) RETURNS void
    LANGUAGE plpgsql SECURITY DEFINER
    SET search_path TO ''
    AS $$
declare
    v_org_id uuid;
begin
    select i.org_id into v_org_id from public.org_invitations i where i.id = p_id and i.org_id = any (private.my_org_ids());
    if not found then
        perform private.raise_error('ORG_003');
    end if;
    perform private.require_permission(v_org_id, 'settings.manage');
    update public.org_invitations set revoked_at = now() where id = p_id and accepted_at is null and revoked_at is null;
end
$$;

COMMENT ON FUNCTION public.revoke_invitation(p_id uuid) IS 'The link stops working. Errors: AUTH_003, ORG_003.';

CREATE FUNCTION public.search_conversations(p_org_id uuid, p_query text, p_limit integer DEFAULT 30) RETURNS TABLE(conversation_id uuid, matched text, snippet text, message_id uuid, occurred_at timestamp with time zone)
    LANGUAGE plpgsql STABLE SECURITY DEFINER
    SET search_path TO ''
    AS $$
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
        from public.contacts p
        join public.conversations c on c.org_id = p.org_id and c.contact_id = p.id
        where p.org_id = p_org_id and p.search_text like v_pattern and p.deleted_at is null
        order by c.last_message_at desc limit v_limit
    ), words as (
        select m.conversation_id, m.id, m.body, m.occurred_at
        from public.messages m
        where m.org_id = p_org_id
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

COMMENT ON FUNCTION public.search_conversations(p_org_id uuid, p_query text, p_limit integer) IS 'Conversations whose contact (name, phone, e-mail, company) or messages match, at least two letters; matched: contact | message. Errors: AUTH_002, ORG_001.';

CREATE FUNCTION public.send_message(p_conversation_id uuid, p_client_key text, p_type text DEFAULT 'text'::text, p_body text DEFAULT NULL::text, p_payload jsonb DEFAULT NULL::jsonb, p_reply_to uuid DEFAULT NULL::uuid) RETURNS public.messages
    LANGUAGE plpgsql SECURITY DEFINER
    SET search_path TO ''
    AS $$
declare
    v_conversation public.conversations := private.conversation_for(p_conversation_id, 'inbox.answer');
    v_message public.messages;
    v_refusal text;
    v_quoted text;
begin
    if p_client_key is null or length(p_client_key) not between 8 and 100 then
        perform private.raise_error('MESSAGE_005');
    end if;
    select m.* into v_message from public.messages m where m.org_id = v_conversation.org_id and m.client_key = p_client_key;
    if found then
        if v_message.conversation_id <> p_conversation_id or v_message.type is distinct from p_type or v_message.direction <> 'outbound'
            or v_message.body is distinct from p_body or v_message.payload is distinct from p_payload
            or v_message.reply_to_message_id is distinct from p_reply_to then
            perform private.raise_error('MESSAGE_005');
        end if;
        return v_message;
    end if;
    perform private.check_message_content(p_type, p_body, p_payload);
    v_refusal := private.may_send(p_conversation_id, p_type);
    if v_refusal is not null then
        perform private.raise_error(v_refusal, jsonb_build_object('window_expires_at', v_conversation.window_expires_at));
    end if;
    if p_reply_to is not null then
        select m.wa_message_id into v_quoted from public.messages m where m.id = p_reply_to and m.conversation_id = p_conversation_id;
        if not found then
            perform private.raise_error('MESSAGE_001');
        end if;
    end if;
    insert into public.messages (org_id, conversation_id, whatsapp_account_id, contact_id, direction, type, body, payload, status,
        client_key, sent_by, reply_to_message_id, reply_to_wa_message_id)
    values (v_conversation.org_id, p_conversation_id, v_conversation.whatsapp_account_id, v_conversation.contact_id, 'outbound', p_type,
        p_body, p_payload, 'pending', p_client_key, (select auth.uid()), p_reply_to, v_quoted)
    on conflict (org_id, client_key) where client_key is not null do nothing
    returning * into v_message;
    if not found then
        -- Used at this very moment in another conversation: the lock above orders one conversation only.
        perform private.raise_error('MESSAGE_005');
    end if;
    perform private.touch_conversation(p_conversation_id, v_message);
    perform private.queue_message(v_message.id, 0);
    perform private.broadcast_messages(p_conversation_id, array[v_message.id]);
    perform private.broadcast_conversations(v_conversation.org_id, array[p_conversation_id]);
    return v_message;
end
$$;

COMMENT ON FUNCTION public.send_message(p_conversation_id uuid, p_client_key text, p_type text, p_body text, p_payload jsonb, p_reply_to uuid) IS 'Queues a message. p_client_key: 8–100 characters, the same key again returns the same message. p_type: text | image | video | audio | document | sticker | location | interactive | contacts. Errors: AUTH_003, CONVERSATION_001, MESSAGE_001–003, MESSAGE_005, WA_002, WA_005, WA_006, CONTACT_004.';

CREATE FUNCTION public.set_contact_consent(p_id uuid, p_status text, p_source text DEFAULT 'manual'::text) RETURNS public.contacts
    LANGUAGE plpgsql SECURITY DEFINER
    SET search_path TO ''
    AS $$
declare
    v_contact public.contacts := private.contact_for(p_id, 'contacts.write');
begin
    if p_status is null or p_status not in ('opted_in', 'opted_out', 'pending') then
        perform private.raise_error('CONTACT_007', '{"field": "opt_in_status"}');
    end if;
    if p_source is null or p_source not in ('form', 'whatsapp', 'import', 'manual') then
        perform private.raise_error('CONTACT_007', '{"field": "opt_in_source"}');
    end if;
    if v_contact.opt_in_status = p_status then
        return v_contact;
    end if;
    perform private.record_activity(v_contact.org_id, 'contact.consent_changed', (select auth.uid()), p_id,
        p_data => jsonb_build_object('old', v_contact.opt_in_status, 'new', p_status, 'source', p_source));
    update public.contacts c set
        opt_in_status = p_status, opt_in_source = p_source, updated_at = clock_timestamp(),
        opt_in_at = case when p_status = 'opted_in' then now() else c.opt_in_at end
    where c.id = p_id returning c.* into v_contact;
    return v_contact;
end
$$;

COMMENT ON FUNCTION public.set_contact_consent(p_id uuid, p_status text, p_source text) IS 'Errors: AUTH_003, CONTACT_001, CONTACT_007.';

CREATE FUNCTION public.set_contact_tags(p_id uuid, p_tag_ids uuid[]) RETURNS void
    LANGUAGE plpgsql SECURITY DEFINER
    SET search_path TO ''
    AS $$
declare
    v_contact public.contacts := private.contact_for(p_id, 'contacts.write');
    v_added uuid[];
    v_removed uuid[];
begin
    -- Locked against deletion until the links are written.
    perform t.id from public.tags t where t.org_id = v_contact.org_id and t.id = any (p_tag_ids) order by t.id for key share;
    if exists (
        select from unnest(p_tag_ids) x left join public.tags t on t.id = x and t.org_id = v_contact.org_id where t.id is null
    ) then
        perform private.raise_error('TAG_001');
    end if;
    with gone as (
        delete from public.contact_tags ct
        where ct.org_id = v_contact.org_id and ct.contact_id = p_id and not (ct.tag_id = any (coalesce(p_tag_ids, '{}')))
        returning ct.tag_id
    )
    select coalesce(array_agg(tag_id), '{}') into v_removed from gone;
    with new as (
        insert into public.contact_tags (org_id, contact_id, tag_id)
        select distinct v_contact.org_id, p_id, x from unnest(p_tag_ids) x
        on conflict do nothing
        returning tag_id
    )
    select coalesce(array_agg(tag_id), '{}') into v_added from new;
    if cardinality(v_added) + cardinality(v_removed) > 0 then
        perform private.record_activity(v_contact.org_id, 'contact.tags_changed', (select auth.uid()), p_id,
            p_data => jsonb_build_object('added', to_jsonb(v_added), 'removed', to_jsonb(v_removed)));
    end if;
end
$$;

COMMENT ON FUNCTION public.set_contact_tags(p_id uuid, p_tag_ids uuid[]) IS 'The contact has exactly these tags afterwards. Errors: AUTH_003, CONTACT_001, TAG_001.';

CREATE FUNCTION public.set_member_role(p_org_id uuid, p_user_id uuid, p_role text) RETURNS void
    LANGUAGE plpgsql SECURITY DEFINER
    SET search_path TO ''
    AS $$
declare
    v_old text;
    v_mine text;
begin
    v_old := private.lock_member(p_org_id, p_user_id, 'settings.manage');
    select m.role into v_mine from public.org_memberships m where m.org_id = p_org_id and m.user_id = (select auth.uid());
    if p_role is null or private.role_rank(p_role) is null or p_role = 'owner' then
        perform private.raise_error('ORG_007', jsonb_build_object('role', p_role));
    end if;
    if v_old = 'owner' then
        perform private.raise_error('ORG_004');
    end if;
    if v_mine is null or private.role_rank(v_mine) < greatest(private.role_rank(v_old), private.role_rank(p_role)) then
        perform private.raise_error('AUTH_003', '{"permission": "settings.manage"}');
    end if;
    update public.org_memberships set role = p_role, updated_at = now() where org_id = p_org_id and user_id = p_user_id;
    if not ('inbox.answer' = any (private.role_permissions(p_role))) then
        perform private.release_assignments(p_org_id, p_user_id);
    end if;
    perform private.record_activity(p_org_id, 'member.role_changed', (select auth.uid()),
        p_data => jsonb_build_object('user_id', p_user_id, 'old', v_old, 'new', p_role));
end
$$;

COMMENT ON FUNCTION public.set_member_role(p_org_id uuid, p_user_id uuid, p_role text) IS 'Errors: AUTH_003, ORG_001, ORG_004 (an owner: transfer ownership instead), ORG_006 (no such member), ORG_007 (no such role).';

CREATE FUNCTION public.snooze_conversation(p_conversation_id uuid, p_until timestamp with time zone) RETURNS void
    LANGUAGE plpgsql SECURITY DEFINER
    SET search_path TO ''
    AS $$
declare
    v_conversation public.conversations := private.conversation_for(p_conversation_id, 'inbox.answer');
begin
    if p_until is null or p_until <= private.clock() or p_until > private.clock() + interval '1 year' then
        perform private.raise_error('CONVERSATION_003');
    end if;
    update public.conversations set status = 'pending', snoozed_until = p_until, updated_at = now() where id = p_conversation_id;
    perform private.add_system_message(v_conversation, 'snoozed', jsonb_build_object('until', p_until));
    perform private.broadcast_conversations(v_conversation.org_id, array[p_conversation_id]);
end
$$;

COMMENT ON FUNCTION public.snooze_conversation(p_conversation_id uuid, p_until timestamp with time zone) IS 'pending until then, or until the contact writes; at most a year ahead. Errors: AUTH_003, CONVERSATION_001, CONVERSATION_003.';

CREATE FUNCTION public.start_conversation(p_contact_id uuid, p_whatsapp_account_id uuid) RETURNS uuid
    LANGUAGE plpgsql SECURITY DEFINER
    SET search_path TO ''
    AS $$
declare
    v_contact public.contacts := private.contact_for(p_contact_id, 'inbox.answer');
    v_id uuid;
begin
    if v_contact.deleted_at is not null then
        perform private.raise_error('CONTACT_004');
    end if;
    if not exists (
        select from public.whatsapp_accounts a where a.id = p_whatsapp_account_id and a.org_id = v_contact.org_id and a.status <> 'disconnected'
    ) then
        perform private.raise_error('WA_006');
    end if;
    -- Nobody has written yet: there is no window, so only templates can go out.
    insert into public.conversations (org_id, whatsapp_account_id, contact_id, status)
    values (v_contact.org_id, p_whatsapp_account_id, p_contact_id, 'expired')
    on conflict (whatsapp_account_id, contact_id) do nothing
    returning id into v_id;
    if v_id is not null then
        perform private.broadcast_conversations(v_contact.org_id, array[v_id]);
        return v_id;
    end if;
    select c.id into v_id from public.conversations c where c.whatsapp_account_id = p_whatsapp_account_id and c.contact_id = p_contact_id;
    return v_id;
end
$$;

COMMENT ON FUNCTION public.start_conversation(p_contact_id uuid, p_whatsapp_account_id uuid) IS 'The conversation of a contact on a number, made when there is none. Errors: AUTH_003, CONTACT_001, CONTACT_004, WA_006.';

CREATE FUNCTION public.transfer_ownership(p_org_id uuid, p_user_id uuid) RETURNS void
    LANGUAGE plpgsql SECURITY DEFINER
    SET search_path TO ''
    AS $$
begin
    perform private.lock_member(p_org_id, p_user_id, 'organization.own');
    update public.org_memberships set role = 'admin', updated_at = now()
    where org_id = p_org_id and user_id = (select auth.uid()) and user_id <> p_user_id;
    update public.org_memberships set role = 'owner', updated_at = now() where org_id = p_org_id and user_id = p_user_id;
    perform private.record_activity(p_org_id, 'organization.ownership_transferred', (select auth.uid()),
        p_data => jsonb_build_object('user_id', p_user_id));
end
$$;

COMMENT ON FUNCTION public.transfer_ownership(p_org_id uuid, p_user_id uuid) IS 'The caller becomes an admin, the other member the owner. Errors: AUTH_003, ORG_001, ORG_006.';

CREATE FUNCTION public.update_contact(p_id uuid, p_fields jsonb, p_expected_updated_at timestamp with time zone) RETURNS public.contacts
    LANGUAGE plpgsql SECURITY DEFINER
    SET search_path TO ''
    AS $$
declare
    v_old public.contacts := private.contact_for(p_id, 'contacts.write');
    v_new public.contacts;
    v_field text;
begin
    if v_old.deleted_at is not null then
        perform private.raise_error('CONTACT_004', jsonb_build_object('contact_id', p_id));
    end if;
    if v_old.updated_at is distinct from p_expected_updated_at then
        perform private.raise_error('CONTACT_006', jsonb_build_object('contact', to_jsonb(v_old) - 'search_text'));
    end if;
    v_new := private.merge_contact_fields(v_old, p_fields);
    begin
        update public.contacts c set
            -- Another number is another WhatsApp account: answers must not go to the old one.
            phone = v_new.phone, wa_id = case when v_new.phone is not distinct from v_old.phone then c.wa_id end, full_name = v_new.full_name, email = v_new.email, avatar_url = v_new.avatar_url, company = v_new.company,
            job_title = v_new.job_title, address = v_new.address, notes = v_new.notes, birthday = v_new.birthday,
            lifecycle_stage = v_new.lifecycle_stage, updated_at = clock_timestamp()
        where c.id = p_id
        returning c.* into v_new;
    exception
        when unique_violation then
            perform private.raise_error('CONTACT_002', jsonb_build_object('contact_id',
                (select c.id from public.contacts c where c.org_id = v_old.org_id and c.phone = v_new.phone)));
        when check_violation then
            get stacked diagnostics v_field = constraint_name;
            if v_field = 'contacts__identity__check' then
                perform private.raise_error('CONTACT_003');
            end if;
            perform private.raise_error('CONTACT_007', jsonb_build_object('field', split_part(replace(v_field, 'contacts_', ''), '_check', 1)));
    end;
    perform private.record_activity(v_old.org_id, 'contact.updated', (select auth.uid()), p_id,
        p_data => jsonb_build_object('fields', (select jsonb_agg(k) from jsonb_object_keys(p_fields) k)));
    return v_new;
end
$$;

COMMENT ON FUNCTION public.update_contact(p_id uuid, p_fields jsonb, p_expected_updated_at timestamp with time zone) IS 'Changes the given fields if nobody else did since p_expected_updated_at. Errors: AUTH_003, CONTACT_001–004, CONTACT_006 (details.contact = the other person''s version), CONTACT_007.';

CREATE FUNCTION public.update_organization(p_org_id uuid, p_name text, p_country text, p_time_zone text) RETURNS void
    LANGUAGE plpgsql SECURITY DEFINER
    SET search_path TO ''
    AS $$
begin
    perform private.require_permission(p_org_id, 'settings.manage');
    perform private.check_organization_fields(p_name, p_country, p_time_zone);
    update public.organizations set name = btrim(p_name), country = p_country, time_zone = p_time_zone, updated_at = now()
    where id = p_org_id;
end
$$;

COMMENT ON FUNCTION public.update_organization(p_org_id uuid, p_name text, p_country text, p_time_zone text) IS 'Errors: AUTH_003, ORG_001, ORG_005.';

CREATE FUNCTION public.update_profile(p_full_name text) RETURNS void
    LANGUAGE plpgsql SECURITY DEFINER
    SET search_path TO ''
    AS $$
begin
    update public.profiles set full_name = left(btrim(coalesce(p_full_name, '')), 120), updated_at = now()
    where user_id = (select auth.uid());
    if not found then
        perform private.raise_error('AUTH_002');
    end if;
end
$$;

COMMENT ON FUNCTION public.update_profile(p_full_name text) IS 'The caller''s own name, as colleagues see it. Errors: AUTH_002.';

CREATE FUNCTION worker.announce_sender(p_lock_key integer) RETURNS boolean
    LANGUAGE sql SECURITY DEFINER
    SET search_path TO ''
    AS $$ select pg_catalog.pg_try_advisory_lock(private.sender_lock_class(), p_lock_key) $$;

COMMENT ON FUNCTION worker.announce_sender(p_lock_key integer) IS 'Called once on the sender''s LISTEN session; the lock lives as long as the session. false: the key is taken, choose another.';

CREATE FUNCTION worker.apply_messages(p_events jsonb) RETURNS TABLE(webhook_event_id bigint, problem text)
    LANGUAGE plpgsql SECURITY DEFINER
    SET search_path TO ''
    AS $$
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
    for v_org in
        select i.org_id, array_agg(distinct i.conversation_id) as conversation_ids
        from jsonb_to_recordset(v_inserted) as i (org_id uuid, conversation_id uuid) group by i.org_id
    loop
        perform private.broadcast_conversations(v_org.org_id, v_org.conversation_ids);
        perform private.broadcast('org:' || v_org.org_id, 'activity', '{}');
    end loop;
    perform private.broadcast_messages(i.conversation_id, array_agg(i.id))
    from jsonb_to_recordset(v_inserted) as i (id uuid, conversation_id uuid) group by i.conversation_id;
end
$$;

COMMENT ON FUNCTION worker.apply_messages(p_events jsonb) IS '[{webhook_event_id, phone_number_id, wa_id?, bsuid?, profile_name?, username?, wa_message_id, occurred_at, type, body?, payload?, reply_to?, is_placeholder, reaction_to?, opens_window}] → webhooks that name no connected number.';

CREATE FUNCTION worker.apply_statuses(p_events jsonb) RETURNS TABLE(webhook_event_id bigint, problem text)
    LANGUAGE plpgsql SECURITY DEFINER
    SET search_path TO ''
    AS $$
declare
    v_known jsonb := private.known_statuses(p_events);
    v_early jsonb;
begin
    if v_known is not null then
        perform private.settle_statuses(v_known);
        -- Settling may have given a message its Meta id while a status of that id was being parked. Messages first, ids second, as everywhere.
        perform private.lock_wa_message_ids(array(select k.wa_message_id from jsonb_to_recordset(v_known) as k (wa_message_id text)));
        perform private.settle_parked_statuses((
            select jsonb_agg(distinct jsonb_build_object('id', k.message_id, 'wa_message_id', k.wa_message_id))
            from jsonb_to_recordset(v_known) as k (message_id uuid, wa_message_id text)));
    end if;
    v_early := private.other_statuses(p_events, v_known);
    if v_early is null then
        return;
    end if;

    perform private.lock_wa_message_ids(array(select e.wa_message_id from jsonb_to_recordset(v_early) as e (wa_message_id text)));
    v_known := private.known_statuses(v_early);
    if v_known is not null then
        perform private.settle_statuses(v_known);
        v_early := private.other_statuses(v_early, v_known);
    end if;
    insert into private.parked_statuses (phone_number_id, wa_message_id, status)
    select a.phone_number_id, e.value ->> 'wa_message_id', e.value
    from jsonb_array_elements(v_early) e
    join public.whatsapp_accounts a on a.phone_number_id = e.value ->> 'phone_number_id' and a.is_receiving
    where e.value ->> 'wa_message_id' is not null;

    return query
    select distinct e.webhook_event_id, 'no connected number ' || coalesce(e.phone_number_id, '?')
    from jsonb_to_recordset(v_early) as e (webhook_event_id bigint, phone_number_id text)
    where not exists (select from public.whatsapp_accounts a where a.phone_number_id = e.phone_number_id and a.is_receiving);
end
$$;

COMMENT ON FUNCTION worker.apply_statuses(p_events jsonb) IS '[{webhook_event_id, phone_number_id, wa_message_id, message_id?, send_try?, status sent|delivered|read|failed, occurred_at, error_code?, error_message?}] → webhooks that name no connected number.';

CREATE FUNCTION worker.claim_account_checks(p_limit integer) RETURNS TABLE(whatsapp_account_id uuid, secret_id uuid, waba_id text, phone_number_id text, access_token text)
    LANGUAGE plpgsql SECURITY DEFINER
    SET search_path TO ''
    AS $$
#variable_conflict use_column
begin
    return query
    with due as (
        select c.whatsapp_account_id from private.whatsapp_credentials c
        where c.checked_at is null and c.check_after <= private.clock()
        order by c.check_after limit p_limit for update skip locked
    ), claimed as (
        -- Pushing check_after ahead is the lease: a worker that dies loses nothing but this minute.
        update private.whatsapp_credentials c
        set check_attempts = c.check_attempts + 1,
            check_after = private.clock() + least(interval '1 minute' * power(2, least(c.check_attempts, 6)), interval '1 hour')
        from due where c.whatsapp_account_id = due.whatsapp_account_id
        returning c.whatsapp_account_id, c.secret_id, c.waba_id
    )
    select a.id, claimed.secret_id, claimed.waba_id, a.phone_number_id, s.decrypted_secret
    from claimed
    join public.whatsapp_accounts a on a.id = claimed.whatsapp_account_id
    join vault.decrypted_secrets s on s.id = claimed.secret_id;
end
$$;

CREATE FUNCTION worker.claim_sends(p_holder uuid, p_account_id uuid, p_limit integer) RETURNS TABLE(message_id uuid, send_try integer, attempt integer, recipient_phone text, recipient_bsuid text, type text, body text, payload jsonb, reply_to text, queued_at timestamp with time zone)
    LANGUAGE plpgsql SECURITY DEFINER
    SET search_path TO ''
    AS $$
declare
    v_refused jsonb;
    v_claimed uuid[];
begin
    -- Taking the lease's row in share mode keeps a takeover waiting until this claim is on record.
    perform from private.phone_leases l
    where l.whatsapp_account_id = p_account_id and l.holder = p_holder and l.lease_until > clock_timestamp() for share;
    if not found then
        return;
    end if;
    with candidates as (
        select o.message_id, private.send_refusal(a.status, a.quality_rating, p.deleted_at is not null, p.opt_in_status,
            c.window_expires_at, m.type, false, private.clock()) as refusal
        from private.outbox o
        join public.whatsapp_accounts a on a.id = o.whatsapp_account_id
        join public.messages m on m.id = o.message_id
        join public.conversations c on c.id = o.conversation_id
        join public.contacts p on p.org_id = c.org_id and p.id = c.contact_id
        -- A number that is not connected for the moment keeps what waits.
        where o.whatsapp_account_id = p_account_id and a.status = 'connected' and o.state = 'ready' and o.ready_at <= clock_timestamp()
            and coalesce(a.paused_until <= clock_timestamp(), true)
            -- Only the head of a conversation: Meta does not keep order, we do.
            and not exists (select from private.outbox e where e.conversation_id = o.conversation_id and e.seq < o.seq and e.state <> 'uncertain')
        order by o.lane, o.seq limit p_limit
        -- A claim waits for nobody: whoever settles messages takes them before their outbox rows, the other way round.
        for update of o skip locked
    ), sending as (
        update private.outbox o set state = 'sending', holder = p_holder, intent_at = clock_timestamp(), attempt = o.attempt + 1
        from candidates c where o.message_id = c.message_id and c.refusal is null
        returning o.message_id
    )
    select (select array_agg(s.message_id) from sending s),
        (select jsonb_agg(jsonb_build_object('message_id', c.message_id, 'error_code', c.refusal)) from candidates c where c.refusal is not null)
    into v_claimed, v_refused;
    if v_refused is not null then
        with free as (
            select m.id from public.messages m
            where m.id in (select r.message_id from jsonb_to_recordset(v_refused) as r (message_id uuid))
            for no key update skip locked
        )
        select jsonb_agg(r.value) into v_refused
        from jsonb_array_elements(v_refused) r join free f on f.id = (r.value ->> 'message_id')::uuid;
    end if;
    if v_refused is not null then
        perform private.fail_messages(v_refused);
    end if;
    return query
    select m.id, m.send_try::integer, o.attempt::integer,
        -- The number Meta answered from beats the number somebody typed (reference/whatsapp.md §2.2).
        coalesce('+' || p.wa_id, p.phone), p.bsuid, m.type, m.body, m.payload, m.reply_to_wa_message_id, m.created_at
    from private.outbox o
    join public.messages m on m.id = o.message_id
    join public.contacts p on p.org_id = m.org_id and p.id = m.contact_id
    where o.message_id = any (v_claimed) order by o.lane, o.seq;
end
$$;

COMMENT ON FUNCTION worker.claim_sends(p_holder uuid, p_account_id uuid, p_limit integer) IS 'Hands out messages and records the intent in the same commit. Refused ones are failed with their code and not returned.';

CREATE FUNCTION worker.claim_webhooks(p_limit integer) RETURNS TABLE(id bigint, body bytea)
    LANGUAGE sql SECURITY DEFINER
    SET search_path TO ''
    AS $$
    select e.id, e.body from private.webhook_events e
    where e.state = 'received' order by e.id limit p_limit for update skip locked
$$;

CREATE FUNCTION worker.finish_webhooks(p_ids bigint[]) RETURNS void
    LANGUAGE sql SECURITY DEFINER
    SET search_path TO ''
    AS $$
    update private.webhook_events set state = 'applied', applied_at = clock_timestamp(), problem = null where id = any (p_ids)
$$;

CREATE FUNCTION worker.lease_numbers(p_holder uuid, p_lock_key integer, p_seconds integer, p_ready_cap integer) RETURNS TABLE(whatsapp_account_id uuid, phone_number_id text, access_token text, messages_per_second integer, ready integer, next_ready_at timestamp with time zone)
    LANGUAGE plpgsql SECURITY DEFINER
    SET search_path TO ''
    AS $$
#variable_conflict use_column
declare
    v_account uuid;
    -- A constant, so that the backlog is looked at by index: this runs at every wake-up, however much waits.
    v_now timestamptz := clock_timestamp();
begin
    -- Queued while the number was being disconnected: nobody will ever lease it for these.
    for v_account in
        select a.id from public.whatsapp_accounts a
        where a.status = 'disconnected' and exists (select from private.outbox o where o.whatsapp_account_id = a.id and o.state = 'ready')
    loop
        perform private.fail_outbox(v_account, 'WA_006');
    end loop;
    for v_account in
        select a.id from public.whatsapp_accounts a
        left join private.phone_leases l on l.whatsapp_account_id = a.id
        -- What a dead holder was sending must become uncertain even when the number is no longer connected.
        where exists (
                select from private.outbox o
                where o.whatsapp_account_id = a.id and (o.state = 'sending' or (o.state = 'ready' and a.status = 'connected')))
            and (l.holder is null or l.holder = p_holder or l.lease_until < clock_timestamp() or not exists (
                select from pg_catalog.pg_locks k
                where k.locktype = 'advisory' and k.classid = private.sender_lock_class()::oid and k.objid = l.lock_key::oid and k.granted
                    and k.database = (select d.oid from pg_catalog.pg_database d where d.datname = current_database())))
            -- An extension is due at half time; before that there is nothing to write.
            and (l.holder is distinct from p_holder or l.lease_until < clock_timestamp() + make_interval(secs => p_seconds / 2.0))
        order by a.id
    loop
        insert into private.phone_leases as l (whatsapp_account_id, holder, lock_key, lease_until)
        values (v_account, p_holder, p_lock_key, clock_timestamp() + make_interval(secs => p_seconds))
        on conflict (whatsapp_account_id) do update
        set holder = excluded.holder, lock_key = excluded.lock_key, lease_until = excluded.lease_until
        where l.holder = p_holder or l.lease_until < clock_timestamp() or not exists (
            select from pg_catalog.pg_locks k
            where k.locktype = 'advisory' and k.classid = private.sender_lock_class()::oid and k.objid = l.lock_key::oid and k.granted
                and k.database = (select d.oid from pg_catalog.pg_database d where d.datname = current_database()));
        if found then
            perform private.settle_abandoned_sends(v_account, p_holder);
        end if;
    end loop;
    return query
    select a.id, a.phone_number_id, s.decrypted_secret, a.messages_per_second, r.ready::integer, r.next_ready_at
    from private.phone_leases l
    join public.whatsapp_accounts a on a.id = l.whatsapp_account_id and a.status = 'connected'
    join private.whatsapp_credentials c on c.whatsapp_account_id = a.id
    join vault.decrypted_secrets s on s.id = c.secret_id
    cross join lateral (
        -- Apart, so that rows waiting for a retry never hide those behind them that are ready.
        select (
            select count(*) from (
                select from private.outbox o
                where o.whatsapp_account_id = a.id and o.state = 'ready' and o.ready_at <= v_now and coalesce(a.paused_until <= v_now, true)
                limit p_ready_cap
            ) x
        ) as ready, case when a.paused_until > v_now then a.paused_until else (
            select min(o.ready_at) from private.outbox o
            where o.whatsapp_account_id = a.id and o.state = 'ready' and o.ready_at > v_now
        ) end as next_ready_at
    ) r
    where l.holder = p_holder and l.lease_until > clock_timestamp() and r.ready + coalesce(extract(epoch from r.next_ready_at), 0) > 0;
end
$$;

COMMENT ON FUNCTION worker.lease_numbers(p_holder uuid, p_lock_key integer, p_seconds integer, p_ready_cap integer) IS 'Takes and extends the leases of numbers that have something to send; returns those held, with how many messages are ready (at most p_ready_cap).';

CREATE FUNCTION worker.pause_number(p_account_id uuid, p_seconds double precision) RETURNS void
    LANGUAGE sql SECURITY DEFINER
    SET search_path TO ''
    AS $$
    update public.whatsapp_accounts set paused_until = greatest(paused_until, clock_timestamp() + make_interval(secs => p_seconds))
    where id = p_account_id
$$;

CREATE FUNCTION worker.purge(p_limit integer) RETURNS integer
    LANGUAGE plpgsql SECURITY DEFINER
    SET search_path TO ''
    AS $$
declare
    v_total integer := 0;
    v_count integer;
begin
    -- Retention: webhooks 90 days, activity and read notifications a year (PRD §18); a status nobody claimed in a day belongs to another app.
    delete from private.webhook_events where id in (
        select e.id from private.webhook_events e where e.received_at < private.clock() - interval '90 days' and e.state <> 'received' limit p_limit);
    get diagnostics v_count = row_count;
    v_total := v_total + v_count;
    delete from private.parked_statuses where id in (
        select s.id from private.parked_statuses s where s.created_at < private.clock() - interval '1 day' limit p_limit);
    get diagnostics v_count = row_count;
    v_total := v_total + v_count;
    delete from public.activity_log where id in (
        select l.id from public.activity_log l where l.created_at < private.clock() - interval '1 year' limit p_limit);
    get diagnostics v_count = row_count;
    v_total := v_total + v_count;
    delete from public.notifications where id in (
        select n.id from public.notifications n where n.created_at < private.clock() - interval '1 year' and n.read_at is not null limit p_limit);
    get diagnostics v_count = row_count;
    return v_total + v_count;
end
$$;

CREATE FUNCTION worker.queue_figures() RETURNS TABLE(webhooks_waiting bigint, webhooks_oldest_seconds double precision, webhooks_rejected bigint, sends_waiting bigint, sends_oldest_seconds double precision, sends_uncertain bigint)
    LANGUAGE sql SECURITY DEFINER
    SET search_path TO ''
    AS $$
    select
        (select count(*) from (select from private.webhook_events where state = 'received' limit 100000) x),
        (select coalesce(extract(epoch from clock_timestamp() - e.received_at), 0)::double precision
            from (select min(id) as id from private.webhook_events where state = 'received') o left join private.webhook_events e on e.id = o.id),
        (select count(*) from (select from private.webhook_events where state = 'rejected' limit 100000) x),
        (select count(*) from private.outbox),
        (select coalesce(extract(epoch from clock_timestamp() - min(o.ready_at)), 0)::double precision
            from private.outbox o where o.state = 'ready' and o.ready_at <= clock_timestamp()),
        (select count(*) from public.messages where is_uncertain)
$$;

CREATE FUNCTION worker.record_account_check(p_account_id uuid, p_secret_id uuid, p_outcome jsonb) RETURNS void
    LANGUAGE plpgsql SECURITY DEFINER
    SET search_path TO ''
    AS $$
declare
    v_account record;
    v_former uuid;
    v_waba_id text;
    v_reason text := p_outcome ->> 'reason';
begin
    select a.* into v_account from public.whatsapp_accounts a where a.id = p_account_id for no key update;
    if not found or v_account.status = 'disconnected' then
        return;
    end if;
    -- A token replaced since the check began: what is known of the old one says nothing about it.
    select c.waba_id into v_waba_id from private.whatsapp_credentials c
    where c.whatsapp_account_id = p_account_id and c.secret_id = p_secret_id;
    if not found then
        return;
    end if;
    if (p_outcome ->> 'ok')::boolean then
        begin
            -- A number whose token no longer works elsewhere belongs to whoever proves it now.
            for v_former in
                select a.id from public.whatsapp_accounts a
                where a.phone_number_id = v_account.phone_number_id and a.is_receiving and a.status <> 'connected' and a.id <> p_account_id
            loop
                perform private.disconnect_account(v_former);
                update public.whatsapp_accounts set status_reason = 'WA_009' where id = v_former;
            end loop;
            update public.whatsapp_accounts set
                status = 'connected', status_reason = null, waba_id = v_waba_id, connected_at = coalesce(connected_at, now()), updated_at = now(),
                display_phone_number = coalesce(p_outcome ->> 'display_phone_number', display_phone_number),
                verified_name = coalesce(p_outcome ->> 'verified_name', verified_name),
                quality_rating = case when p_outcome ->> 'quality_rating' in ('GREEN', 'YELLOW', 'RED') then p_outcome ->> 'quality_rating' else 'UNKNOWN' end,
                messaging_tier = coalesce(p_outcome ->> 'messaging_tier', messaging_tier),
                messages_per_second = coalesce(least(greatest((p_outcome ->> 'messages_per_second')::integer, 1), 5000), messages_per_second)
            where id = p_account_id;
            update private.whatsapp_credentials set checked_at = now() where whatsapp_account_id = p_account_id;
        exception when unique_violation then
            update public.whatsapp_accounts set status = 'error', status_reason = 'WA_009', updated_at = now() where id = p_account_id;
            update private.whatsapp_credentials set checked_at = now() where whatsapp_account_id = p_account_id;
        end;
        perform pg_catalog.pg_notify('octopush_send', '');
    elsif (p_outcome ->> 'final')::boolean then
        update public.whatsapp_accounts set status = 'error', status_reason = left(v_reason, 500), updated_at = now() where id = p_account_id;
        update private.whatsapp_credentials set checked_at = now() where whatsapp_account_id = p_account_id;
        perform private.notify_members(v_account.org_id, private.members_with(v_account.org_id, 'settings.manage'),
            'whatsapp_account.error', 'high', jsonb_build_object('whatsapp_account_id', p_account_id));
    else
        -- Meta could not be reached: tried again when check_after comes; the reason is shown meanwhile.
        update public.whatsapp_accounts set status_reason = left(v_reason, 500), updated_at = now() where id = p_account_id;
    end if;
    perform private.broadcast('org:' || v_account.org_id, 'account', jsonb_build_object('whatsapp_account_id', p_account_id));
end
$$;

COMMENT ON FUNCTION worker.record_account_check(p_account_id uuid, p_secret_id uuid, p_outcome jsonb) IS 'p_secret_id: the token that was checked. p_outcome: {ok, display_phone_number?, verified_name?, quality_rating?, messaging_tier?, messages_per_second?} or {ok: false, final, reason}.';

CREATE FUNCTION worker.record_account_events(p_events jsonb) RETURNS void
    LANGUAGE sql SECURITY DEFINER
    SET search_path TO ''
    AS $$
    -- An item about a WABA concerns every organisation that receives for one of its numbers.
    insert into public.whatsapp_events (org_id, whatsapp_account_id, field, payload, webhook_event_id, body_hash)
    select a.org_id, a.id, left(coalesce(e.field, ''), 200), coalesce(e.payload, 'null'), e.webhook_event_id, decode(e.body_hash, 'hex')
    from jsonb_to_recordset(p_events) as e (waba_id text, phone_number_id text, field text, payload jsonb, webhook_event_id bigint, body_hash text)
    join lateral (
        select x.org_id, x.id from public.whatsapp_accounts x
        where x.is_receiving
            and case when e.phone_number_id is not null then x.phone_number_id = e.phone_number_id else x.waba_id = e.waba_id end
        limit 100
    ) a on true
    on conflict do nothing
$$;

COMMENT ON FUNCTION worker.record_account_events(p_events jsonb) IS '[{waba_id, phone_number_id?, field, payload, webhook_event_id, body_hash (hex)}]: kept for people to see.';

CREATE FUNCTION worker.record_sends(p_results jsonb) RETURNS void
    LANGUAGE plpgsql SECURITY DEFINER
    SET search_path TO ''
    AS $$
declare
    v_accepted jsonb;
    v_failures jsonb;
    v_changed jsonb;
begin
    perform m.id from public.messages m
    where m.id in (select r.message_id from jsonb_to_recordset(p_results) as r (message_id uuid))
    order by m.id for no key update;
    perform private.lock_wa_message_ids(array(
        select r.wa_message_id from jsonb_to_recordset(p_results) as r (outcome text, wa_message_id text) where r.outcome = 'accepted'));

    -- What Meta answered is true whoever reports it and however late, even after the lease was lost. Try (a person's) and attempt (ours) keep
    -- a report that comes late or twice from touching a later one.
    with accepted as (
        update public.messages m set wa_message_id = r.wa_message_id, is_uncertain = false, accepted_at = coalesce(m.accepted_at, clock_timestamp()),
            error_code = case when m.status = 'failed' then m.error_code end
        from jsonb_to_recordset(p_results) as r (message_id uuid, send_try integer, outcome text, wa_message_id text)
        where r.outcome = 'accepted' and m.id = r.message_id and m.send_try = r.send_try
            and (m.wa_message_id is null or m.wa_message_id = r.wa_message_id)
        returning m.id, m.conversation_id, m.wa_message_id
    ), gone as (
        delete from private.outbox o using accepted a where o.message_id = a.id
    )
    select jsonb_agg(to_jsonb(a)) into v_accepted from accepted a;

    with uncertain as (
        update private.outbox o set state = 'uncertain'
        from jsonb_to_recordset(p_results) as r (message_id uuid, send_try integer, attempt integer, outcome text)
        join public.messages m on m.id = r.message_id and m.send_try = r.send_try
        where r.outcome = 'uncertain' and o.message_id = r.message_id and o.attempt = r.attempt and o.state = 'sending'
        returning o.message_id
    ), requeued as (
        update private.outbox o set state = 'ready', holder = null, intent_at = null,
            ready_at = clock_timestamp() + make_interval(secs => r.retry_seconds)
        from jsonb_to_recordset(p_results) as r (message_id uuid, send_try integer, attempt integer, outcome text, retry_seconds double precision)
        join public.messages m on m.id = r.message_id and m.send_try = r.send_try
        where r.outcome = 'retry' and o.message_id = r.message_id and o.attempt = r.attempt and o.state in ('sending', 'uncertain')
        returning o.message_id
    ), changed as (
        update public.messages m set is_uncertain = x.is_uncertain, error_code = case when x.is_uncertain then 'WA_008' end
        from (select u.message_id, true as is_uncertain from uncertain u union all select q.message_id, false from requeued q) x
        where m.id = x.message_id and m.status = 'pending' and m.wa_message_id is null and (x.is_uncertain or m.is_uncertain)
        returning m.id, m.conversation_id
    )
    select jsonb_agg(to_jsonb(c)) into v_changed from changed c;

    select jsonb_agg(to_jsonb(r)) into v_failures
    from jsonb_to_recordset(p_results) as r (message_id uuid, send_try integer, attempt integer, outcome text, error_code text, error_message text)
    join public.messages m on m.id = r.message_id and m.send_try = r.send_try
    join private.outbox o on o.message_id = r.message_id and o.attempt = r.attempt
    where r.outcome = 'failed';
    if v_failures is not null then
        perform private.fail_messages(v_failures);
    end if;

    if v_accepted is not null then
        perform private.settle_parked_statuses(v_accepted);
    end if;
    perform private.broadcast_messages(c.conversation_id, array_agg(c.id))
    from jsonb_to_recordset(coalesce(v_accepted, '[]') || coalesce(v_changed, '[]')) as c (id uuid, conversation_id uuid) group by c.conversation_id;
end
$$;

COMMENT ON FUNCTION worker.record_sends(p_results jsonb) IS '[{message_id, send_try, attempt, outcome accepted|failed|retry|uncertain, wa_message_id?, error_code?, error_message?, retry_seconds?}].';

CREATE FUNCTION worker.reject_webhook(p_id bigint, p_problem text) RETURNS void
    LANGUAGE sql SECURITY DEFINER
    SET search_path TO ''
    AS $$
    update private.webhook_events set state = 'rejected', applied_at = clock_timestamp(), attempts = attempts + 1, problem = left(p_problem, 2000)
    where id = p_id
$$;

COMMENT ON FUNCTION worker.reject_webhook(p_id bigint, p_problem text) IS 'Kept, not understood: listed by worker.rejected_webhooks, tried again by worker.replay_webhooks.';

CREATE FUNCTION worker.rejected_webhooks(p_limit integer) RETURNS TABLE(id bigint, received_at timestamp with time zone, problem text, bytes integer)
    LANGUAGE sql STABLE SECURITY DEFINER
    SET search_path TO ''
    AS $$
    select e.id, e.received_at, e.problem, length(e.body) from private.webhook_events e
    where e.state = 'rejected' order by e.id desc limit p_limit
$$;

CREATE FUNCTION worker.release_leases(p_holder uuid) RETURNS void
    LANGUAGE sql SECURITY DEFINER
    SET search_path TO ''
    AS $$ delete from private.phone_leases where holder = p_holder $$;

CREATE FUNCTION worker.replay_webhooks(p_ids bigint[]) RETURNS integer
    LANGUAGE plpgsql SECURITY DEFINER
    SET search_path TO ''
    AS $$
declare
    v_count integer;
begin
    -- Safe for applied rows too: applying is idempotent. null: everything that was rejected.
    update private.webhook_events e set state = 'received'
    where case when p_ids is null then e.state = 'rejected' else e.id = any (p_ids) end;
    get diagnostics v_count = row_count;
    perform pg_catalog.pg_notify('octopush_apply', '');
    return v_count;
end
$$;

CREATE FUNCTION worker.store_webhooks(p_bodies bytea[]) RETURNS void
    LANGUAGE plpgsql SECURITY DEFINER
    SET search_path TO ''
    AS $$
begin
    insert into private.webhook_events (body) select b from unnest(p_bodies) b;
    -- Once for the whole batch: NOTIFY serialises commits (reference/model-codebases.md §3.1).
    perform pg_catalog.pg_notify('octopush_apply', '');
end
$$;

COMMENT ON FUNCTION worker.store_webhooks(p_bodies bytea[]) IS 'Keeps raw bodies, many requests in one commit. Called before Meta is answered.';

CREATE FUNCTION worker.suspend_number(p_account_id uuid, p_reason text) RETURNS void
    LANGUAGE plpgsql SECURITY DEFINER
    SET search_path TO ''
    AS $$
declare
    v_org_id uuid;
begin
    -- The token or the account needs a person. What waits stays in the outbox until the number is connected again.
    update public.whatsapp_accounts set status = 'error', status_reason = left(p_reason, 500), updated_at = now()
    where id = p_account_id and status = 'connected' returning org_id into v_org_id;
    if v_org_id is null then
        return;
    end if;
    perform private.notify_members(v_org_id, private.members_with(v_org_id, 'settings.manage'), 'whatsapp_account.error', 'high',
        jsonb_build_object('whatsapp_account_id', p_account_id));
    perform private.broadcast('org:' || v_org_id, 'account', jsonb_build_object('whatsapp_account_id', p_account_id));
end
$$;

CREATE FUNCTION worker.sweep_windows(p_limit integer) RETURNS integer
    LANGUAGE plpgsql SECURITY DEFINER
    SET search_path TO ''
    AS $$
declare
    v_org record;
    v_count integer := 0;
    v_soon record;
begin
    for v_org in
        with closed as (
            update public.conversations c set status = 'expired', updated_at = now()
            where c.id in (
                select x.id from public.conversations x
                where x.status in ('open', 'pending') and x.snoozed_until is null and x.window_expires_at <= private.clock()
                order by x.window_expires_at limit p_limit for update skip locked)
            returning c.id, c.org_id
        )
        select c.org_id, array_agg(c.id) as ids from closed c group by c.org_id
    loop
        v_count := v_count + cardinality(v_org.ids);
        perform private.broadcast_conversations(v_org.org_id, v_org.ids);
    end loop;

    -- An hour before the end, once for each window, and only where a customer still waits for an answer.
    for v_soon in
        update public.conversations c set window_warned_at = private.clock()
        where c.id in (
            select x.id from public.conversations x
            where x.status in ('open', 'pending') and x.window_expires_at > private.clock()
                and x.window_expires_at <= private.clock() + interval '1 hour'
                and coalesce(x.window_warned_at < x.window_expires_at - interval '24 hours', true)
                and x.last_message_direction = 'inbound'
            order by x.window_expires_at limit p_limit for update skip locked)
        returning c.id, c.org_id, c.contact_id, c.assigned_to, c.window_expires_at
    loop
        perform private.notify_members(v_soon.org_id,
            case when v_soon.assigned_to is null then private.members_with(v_soon.org_id, 'inbox.answer') else array[v_soon.assigned_to] end,
            'conversation.window_closing', 'high', jsonb_build_object('conversation_id', v_soon.id, 'contact_id', v_soon.contact_id,
                'window_expires_at', v_soon.window_expires_at));
    end loop;
    return v_count;
end
$$;

CREATE FUNCTION worker.versions() RETURNS TABLE(extension_version text, schema_version integer, code_hash text)
    LANGUAGE sql STABLE SECURITY DEFINER
    SET search_path TO ''
    AS $$
    select octopush.version(), (select max(version) from private.schema_migrations), (select hash from private.schema_code)
$$;

CREATE FUNCTION worker.wake_snoozed(p_limit integer) RETURNS integer
    LANGUAGE plpgsql SECURITY DEFINER
    SET search_path TO ''
    AS $$
declare
    v_org record;
    v_count integer := 0;
begin
    for v_org in
        with woken as (
            update public.conversations c set snoozed_until = null, updated_at = now(),
                status = case when c.window_expires_at > private.clock() then 'open' else 'expired' end
            where c.id in (
                select x.id from public.conversations x where x.snoozed_until <= private.clock()
                order by x.snoozed_until limit p_limit for update skip locked)
            returning c.id, c.org_id
        )
        select w.org_id, array_agg(w.id) as ids from woken w group by w.org_id
    loop
        v_count := v_count + cardinality(v_org.ids);
        perform private.broadcast_conversations(v_org.org_id, v_org.ids);
    end loop;
    return v_count;
end
$$;

CREATE TABLE private.outbox (
    message_id uuid NOT NULL,
    seq bigint NOT NULL,
    org_id uuid NOT NULL,
    whatsapp_account_id uuid NOT NULL,
    conversation_id uuid NOT NULL,
    lane smallint DEFAULT 0 NOT NULL,
    state text DEFAULT 'ready'::text NOT NULL,
    attempt integer DEFAULT 0 NOT NULL,
    ready_at timestamp with time zone DEFAULT now() NOT NULL,
    holder uuid,
    intent_at timestamp with time zone,
    CONSTRAINT outbox__sending__check CHECK (((state = 'ready'::text) = ((holder IS NULL) AND (intent_at IS NULL)))),
    CONSTRAINT outbox_lane_check CHECK (((lane >= 0) AND (lane <= 2))),
    CONSTRAINT outbox_state_check CHECK ((state = ANY (ARRAY['ready'::text, 'sending'::text, 'uncertain'::text])))
)
WITH (fillfactor='70', autovacuum_vacuum_scale_factor='0.0', autovacuum_vacuum_threshold='500');

COMMENT ON TABLE private.outbox IS 'Messages ready to be sent now. Small by construction: rows leave when Meta has answered.';

ALTER TABLE private.outbox ALTER COLUMN seq ADD GENERATED ALWAYS AS IDENTITY (
    SEQUENCE NAME private.outbox_seq_seq
    START WITH 1
    INCREMENT BY 1
    NO MINVALUE
    NO MAXVALUE
    CACHE 1
);

CREATE TABLE private.parked_statuses (
    id bigint NOT NULL,
    phone_number_id text NOT NULL,
    wa_message_id text NOT NULL,
    status jsonb NOT NULL,
    created_at timestamp with time zone DEFAULT clock_timestamp() NOT NULL
);

COMMENT ON TABLE private.parked_statuses IS 'Statuses that overtook the record of their own message; applied when it is written, dropped after a day.';

ALTER TABLE private.parked_statuses ALTER COLUMN id ADD GENERATED ALWAYS AS IDENTITY (
    SEQUENCE NAME private.parked_statuses_id_seq
    START WITH 1
    INCREMENT BY 1
    NO MINVALUE
    NO MAXVALUE
    CACHE 1
);

CREATE TABLE private.phone_leases (
    whatsapp_account_id uuid NOT NULL,
    holder uuid NOT NULL,
    lock_key integer NOT NULL,
    lease_until timestamp with time zone NOT NULL
);

CREATE TABLE private.schema_code (
    is_current boolean DEFAULT true NOT NULL,
    hash text NOT NULL,
    applied_at timestamp with time zone DEFAULT now() NOT NULL,
    CONSTRAINT schema_code_is_current_check CHECK (is_current)
);

CREATE TABLE private.schema_migrations (
    version integer NOT NULL,
    name text NOT NULL,
    hash text NOT NULL,
    applied_at timestamp with time zone DEFAULT now() NOT NULL
);

CREATE TABLE private.webhook_events (
    id bigint NOT NULL,
    body bytea NOT NULL,
    state text DEFAULT 'received'::text NOT NULL,
    problem text,
    attempts smallint DEFAULT 0 NOT NULL,
    received_at timestamp with time zone DEFAULT clock_timestamp() NOT NULL,
    applied_at timestamp with time zone,
    CONSTRAINT webhook_events_state_check CHECK ((state = ANY (ARRAY['received'::text, 'applied'::text, 'rejected'::text])))
)
WITH (fillfactor='85', autovacuum_vacuum_scale_factor='0.05', autovacuum_vacuum_insert_scale_factor='0.1');

COMMENT ON TABLE private.webhook_events IS 'Webhooks exactly as received. rejected = kept but not understood: see problem, and `octopush replay`.';

ALTER TABLE private.webhook_events ALTER COLUMN id ADD GENERATED ALWAYS AS IDENTITY (
    SEQUENCE NAME private.webhook_events_id_seq
    START WITH 1
    INCREMENT BY 1
    NO MINVALUE
    NO MAXVALUE
    CACHE 1
);

CREATE TABLE private.whatsapp_credentials (
    whatsapp_account_id uuid NOT NULL,
    secret_id uuid NOT NULL,
    waba_id text NOT NULL,
    checked_at timestamp with time zone,
    check_attempts integer DEFAULT 0 NOT NULL,
    check_after timestamp with time zone DEFAULT now() NOT NULL
);

COMMENT ON TABLE private.whatsapp_credentials IS 'Which Vault secret holds the access token, and when it is to be checked with Meta.';

CREATE TABLE public.activity_log (
    id uuid DEFAULT octopush.uuid_v7() NOT NULL,
    org_id uuid NOT NULL,
    kind text NOT NULL,
    actor_id uuid,
    contact_id uuid,
    conversation_id uuid,
    data jsonb DEFAULT '{}'::jsonb NOT NULL,
    created_at timestamp with time zone DEFAULT clock_timestamp() NOT NULL,
    CONSTRAINT activity_log_kind_check CHECK ((kind ~ '^[a-z]+(_[a-z]+)*\.[a-z]+(_[a-z]+)*$'::text))
);

COMMENT ON TABLE public.activity_log IS 'What happened in an organisation, append-only, kept for a year.';

COMMENT ON COLUMN public.activity_log.kind IS 'subject.event, for example conversation.assigned; docs/state-machines.md lists them.';

CREATE TABLE public.contact_tags (
    org_id uuid NOT NULL,
    contact_id uuid NOT NULL,
    tag_id uuid NOT NULL,
    created_at timestamp with time zone DEFAULT now() NOT NULL
);

COMMENT ON TABLE public.contact_tags IS 'Which contact carries which tag.';

CREATE TABLE public.whatsapp_accounts (
    id uuid DEFAULT octopush.uuid_v7() NOT NULL,
    org_id uuid NOT NULL,
    waba_id text NOT NULL,
    phone_number_id text NOT NULL,
    display_phone_number text,
    verified_name text,
    status text DEFAULT 'connecting'::text NOT NULL,
    status_reason text,
    quality_rating text DEFAULT 'UNKNOWN'::text NOT NULL,
    messaging_tier text,
    messages_per_second integer DEFAULT 80 NOT NULL,
    paused_until timestamp with time zone,
    connected_at timestamp with time zone,
    is_receiving boolean GENERATED ALWAYS AS (((status = 'connected'::text) OR ((connected_at IS NOT NULL) AND (status <> 'disconnected'::text)))) STORED NOT NULL,
    created_at timestamp with time zone DEFAULT now() NOT NULL,
    updated_at timestamp with time zone DEFAULT now() NOT NULL,
    CONSTRAINT whatsapp_accounts_messages_per_second_check CHECK (((messages_per_second >= 1) AND (messages_per_second <= 5000))),
    CONSTRAINT whatsapp_accounts_phone_number_id_check CHECK ((phone_number_id ~ '^[0-9]{1,32}$'::text)),
    CONSTRAINT whatsapp_accounts_quality_rating_check CHECK ((quality_rating = ANY (ARRAY['GREEN'::text, 'YELLOW'::text, 'RED'::text, 'UNKNOWN'::text]))),
    CONSTRAINT whatsapp_accounts_status_check CHECK ((status = ANY (ARRAY['connecting'::text, 'connected'::text, 'error'::text, 'disconnected'::text]))),
    CONSTRAINT whatsapp_accounts_waba_id_check CHECK ((waba_id ~ '^[0-9]{1,32}$'::text))
);

COMMENT ON TABLE public.whatsapp_accounts IS 'A WhatsApp business number. status moves when a worker has checked the token with Meta.';

COMMENT ON COLUMN public.whatsapp_accounts.paused_until IS 'Sending waits until then: Meta asked to slow down or pause this number.';

COMMENT ON COLUMN public.whatsapp_accounts.connected_at IS 'When the number was first proven to be ours; null again once it is disconnected.';

CREATE VIEW public.conversation_list WITH (security_invoker='true') AS
 SELECT c.id,
    c.org_id,
    c.whatsapp_account_id,
    c.contact_id,
    c.status,
    c.folder,
    c.assigned_to,
    c.window_expires_at,
    c.snoozed_until,
    c.unread_count,
    c.last_read_at,
    c.last_inbound_at,
    c.last_message_id,
    c.last_message_at,
    c.last_message_preview,
    c.last_message_type,
    c.last_message_direction,
    c.created_at,
    c.updated_at,
    m.status AS last_message_status,
    COALESCE(p.full_name, p.username) AS contact_name,
    COALESCE(p.phone, ('+'::text || p.wa_id)) AS contact_phone,
    p.avatar_url AS contact_avatar_url,
    p.opt_in_status AS contact_opt_in_status,
    a.display_phone_number AS account_display_phone_number
   FROM (((public.conversations c
     JOIN public.contacts p ON (((p.org_id = c.org_id) AND (p.id = c.contact_id))))
     JOIN public.whatsapp_accounts a ON ((a.id = c.whatsapp_account_id)))
     LEFT JOIN public.messages m ON ((m.id = c.last_message_id)));

COMMENT ON VIEW public.conversation_list IS 'Conversations with what a row of the inbox shows. Page by (last_message_at desc, id desc) within one org_id and folder.';

CREATE TABLE public.notifications (
    id uuid DEFAULT octopush.uuid_v7() NOT NULL,
    org_id uuid NOT NULL,
    user_id uuid NOT NULL,
    kind text NOT NULL,
    priority text DEFAULT 'normal'::text NOT NULL,
    data jsonb DEFAULT '{}'::jsonb NOT NULL,
    read_at timestamp with time zone,
    created_at timestamp with time zone DEFAULT clock_timestamp() NOT NULL,
    CONSTRAINT notifications_priority_check CHECK ((priority = ANY (ARRAY['normal'::text, 'high'::text])))
);

COMMENT ON TABLE public.notifications IS 'What one person is told; each has a row and a read mark of their own.';

CREATE TABLE public.org_invitations (
    id uuid DEFAULT octopush.uuid_v7() NOT NULL,
    org_id uuid NOT NULL,
    email text NOT NULL,
    role text NOT NULL,
    token_hash bytea NOT NULL,
    invited_by uuid,
    expires_at timestamp with time zone NOT NULL,
    accepted_at timestamp with time zone,
    revoked_at timestamp with time zone,
    created_at timestamp with time zone DEFAULT now() NOT NULL,
    CONSTRAINT org_invitations_email_check CHECK (((email = lower(btrim(email))) AND (email ~~ '%_@_%'::text) AND (length(email) <= 320))),
    CONSTRAINT org_invitations_role_check CHECK ((role = ANY (ARRAY['admin'::text, 'campaign_manager'::text, 'agent'::text, 'viewer'::text])))
);

COMMENT ON TABLE public.org_invitations IS 'Open, accepted and revoked invitations; at most one open for an address.';

COMMENT ON COLUMN public.org_invitations.token_hash IS 'SHA-256 of the token in the invitation link; the token itself is shown once and not kept.';

CREATE TABLE public.org_memberships (
    org_id uuid NOT NULL,
    user_id uuid NOT NULL,
    role text NOT NULL,
    created_at timestamp with time zone DEFAULT now() NOT NULL,
    updated_at timestamp with time zone DEFAULT now() NOT NULL,
    CONSTRAINT org_memberships_role_check CHECK ((role = ANY (ARRAY['owner'::text, 'admin'::text, 'campaign_manager'::text, 'agent'::text, 'viewer'::text])))
);

COMMENT ON TABLE public.org_memberships IS 'Who belongs to an organisation, in which role. Changed by RPC only; an organisation always keeps an owner.';

CREATE TABLE public.organizations (
    id uuid DEFAULT octopush.uuid_v7() NOT NULL,
    name text NOT NULL,
    country text DEFAULT 'MY'::text NOT NULL,
    time_zone text DEFAULT 'Asia/Kuala_Lumpur'::text NOT NULL,
    created_at timestamp with time zone DEFAULT now() NOT NULL,
    updated_at timestamp with time zone DEFAULT now() NOT NULL,
    deleted_at timestamp with time zone,
    CONSTRAINT organizations_country_check CHECK ((country ~ '^[A-Z]{2}$'::text)),
    CONSTRAINT organizations_name_check CHECK (((length(btrim(name)) >= 1) AND (length(btrim(name)) <= 120)))
);

COMMENT ON TABLE public.organizations IS 'A tenant. country is the default region of phone numbers (ISO 3166-1 alpha-2); time_zone an IANA name.';

CREATE TABLE public.profiles (
    user_id uuid NOT NULL,
    full_name text DEFAULT ''::text NOT NULL,
    email text NOT NULL,
    avatar_url text,
    created_at timestamp with time zone DEFAULT now() NOT NULL,
    updated_at timestamp with time zone DEFAULT now() NOT NULL,
    CONSTRAINT profiles_full_name_check CHECK ((length(full_name) <= 120))
);

COMMENT ON TABLE public.profiles IS 'What colleagues see of a person. Made when they onboard or accept an invitation.';

CREATE TABLE public.whatsapp_events (
    id uuid DEFAULT octopush.uuid_v7() NOT NULL,
    org_id uuid NOT NULL,
    whatsapp_account_id uuid,
    field text NOT NULL,
    payload jsonb NOT NULL,
    webhook_event_id bigint,
    body_hash bytea NOT NULL,
    created_at timestamp with time zone DEFAULT now() NOT NULL
);

COMMENT ON TABLE public.whatsapp_events IS 'Webhook items about an organisation''s account or number that no other table holds, unknown ones included.';

ALTER TABLE ONLY private.outbox
    ADD CONSTRAINT outbox_pkey PRIMARY KEY (message_id);

ALTER TABLE ONLY private.parked_statuses
    ADD CONSTRAINT parked_statuses_pkey PRIMARY KEY (id);

ALTER TABLE ONLY private.phone_leases
    ADD CONSTRAINT phone_leases_pkey PRIMARY KEY (whatsapp_account_id);

ALTER TABLE ONLY private.schema_code
    ADD CONSTRAINT schema_code_pkey PRIMARY KEY (is_current);

ALTER TABLE ONLY private.schema_migrations
    ADD CONSTRAINT schema_migrations_pkey PRIMARY KEY (version);

ALTER TABLE ONLY private.webhook_events
    ADD CONSTRAINT webhook_events_pkey PRIMARY KEY (id);

ALTER TABLE ONLY private.whatsapp_credentials
    ADD CONSTRAINT whatsapp_credentials_pkey PRIMARY KEY (whatsapp_account_id);

ALTER TABLE ONLY public.activity_log
    ADD CONSTRAINT activity_log_pkey PRIMARY KEY (id);

ALTER TABLE ONLY public.contact_tags
    ADD CONSTRAINT contact_tags_pkey PRIMARY KEY (org_id, contact_id, tag_id);

ALTER TABLE ONLY public.contacts
    ADD CONSTRAINT contacts_org_id_id_key UNIQUE (org_id, id);

ALTER TABLE ONLY public.contacts
    ADD CONSTRAINT contacts_pkey PRIMARY KEY (id);

ALTER TABLE ONLY public.conversations
    ADD CONSTRAINT conversations_org_id_id_key UNIQUE (org_id, id);

ALTER TABLE ONLY public.conversations
    ADD CONSTRAINT conversations_pkey PRIMARY KEY (id);

ALTER TABLE ONLY public.conversations
    ADD CONSTRAINT conversations_whatsapp_account_id_contact_id_key UNIQUE (whatsapp_account_id, contact_id);

ALTER TABLE ONLY public.messages
    ADD CONSTRAINT messages_pkey PRIMARY KEY (id);

ALTER TABLE ONLY public.notifications
    ADD CONSTRAINT notifications_pkey PRIMARY KEY (id);

ALTER TABLE ONLY public.org_invitations
    ADD CONSTRAINT org_invitations_pkey PRIMARY KEY (id);

ALTER TABLE ONLY public.org_invitations
    ADD CONSTRAINT org_invitations_token_hash_key UNIQUE (token_hash);

ALTER TABLE ONLY public.org_memberships
    ADD CONSTRAINT org_memberships_pkey PRIMARY KEY (org_id, user_id);

ALTER TABLE ONLY public.organizations
    ADD CONSTRAINT organizations_pkey PRIMARY KEY (id);

ALTER TABLE ONLY public.profiles
    ADD CONSTRAINT profiles_pkey PRIMARY KEY (user_id);

ALTER TABLE ONLY public.tags
    ADD CONSTRAINT tags_org_id_id_key UNIQUE (org_id, id);

ALTER TABLE ONLY public.tags
    ADD CONSTRAINT tags_pkey PRIMARY KEY (id);

ALTER TABLE ONLY public.whatsapp_accounts
    ADD CONSTRAINT whatsapp_accounts_org_id_id_key UNIQUE (org_id, id);

ALTER TABLE ONLY public.whatsapp_accounts
    ADD CONSTRAINT whatsapp_accounts_pkey PRIMARY KEY (id);

ALTER TABLE ONLY public.whatsapp_events
    ADD CONSTRAINT whatsapp_events_pkey PRIMARY KEY (id);

CREATE INDEX outbox__conversation__idx ON private.outbox USING btree (conversation_id, seq) WHERE (state <> 'uncertain'::text);

CREATE INDEX outbox__ready__idx ON private.outbox USING btree (whatsapp_account_id, lane, seq) WHERE (state = 'ready'::text);

CREATE INDEX outbox__ready_at__idx ON private.outbox USING btree (whatsapp_account_id, ready_at) WHERE (state = 'ready'::text);

CREATE INDEX outbox__sending__idx ON private.outbox USING btree (whatsapp_account_id) WHERE (state = 'sending'::text);

CREATE INDEX parked_statuses__created_at__idx ON private.parked_statuses USING btree (created_at);

CREATE INDEX parked_statuses__message__idx ON private.parked_statuses USING btree (wa_message_id);

CREATE INDEX webhook_events__received__idx ON private.webhook_events USING btree (id) WHERE (state = 'received'::text);

CREATE INDEX webhook_events__received_at__idx ON private.webhook_events USING brin (received_at);

CREATE INDEX webhook_events__rejected__idx ON private.webhook_events USING btree (id) WHERE (state = 'rejected'::text);

CREATE INDEX whatsapp_credentials__check_after__idx ON private.whatsapp_credentials USING btree (check_after) WHERE (checked_at IS NULL);

CREATE INDEX activity_log__actor_id__idx ON public.activity_log USING btree (actor_id) WHERE (actor_id IS NOT NULL);

CREATE INDEX activity_log__contact__idx ON public.activity_log USING btree (org_id, contact_id, created_at DESC) WHERE (contact_id IS NOT NULL);

CREATE INDEX activity_log__created_at__idx ON public.activity_log USING brin (created_at);

CREATE INDEX activity_log__org__idx ON public.activity_log USING btree (org_id, created_at DESC, id DESC);

CREATE INDEX contact_tags__tag__idx ON public.contact_tags USING btree (org_id, tag_id, contact_id);

CREATE UNIQUE INDEX contacts__bsuid__idx ON public.contacts USING btree (org_id, bsuid);

CREATE INDEX contacts__created__idx ON public.contacts USING btree (org_id, created_at DESC, id DESC) WHERE (deleted_at IS NULL);

CREATE INDEX contacts__name__idx ON public.contacts USING btree (org_id, lower(full_name), id) WHERE (deleted_at IS NULL);

CREATE UNIQUE INDEX contacts__phone__idx ON public.contacts USING btree (org_id, phone);

CREATE INDEX contacts__search__idx ON public.contacts USING gin (search_text extensions.gin_trgm_ops);

CREATE UNIQUE INDEX contacts__wa_id__idx ON public.contacts USING btree (org_id, wa_id);

CREATE INDEX conversations__account__idx ON public.conversations USING btree (org_id, whatsapp_account_id);

CREATE INDEX conversations__assigned__idx ON public.conversations USING btree (org_id, folder, assigned_to, last_message_at DESC, id DESC);

CREATE INDEX conversations__assigned_to__idx ON public.conversations USING btree (assigned_to) WHERE (assigned_to IS NOT NULL);

CREATE INDEX conversations__contact__idx ON public.conversations USING btree (org_id, contact_id);

CREATE INDEX conversations__list__idx ON public.conversations USING btree (org_id, folder, last_message_at DESC, id DESC);

CREATE INDEX conversations__snoozed__idx ON public.conversations USING btree (snoozed_until) WHERE (snoozed_until IS NOT NULL);

CREATE INDEX conversations__unread__idx ON public.conversations USING btree (org_id) WHERE ((unread_count > 0) AND (status <> 'resolved'::text));

CREATE INDEX conversations__window__idx ON public.conversations USING btree (window_expires_at) WHERE (status = ANY (ARRAY['open'::text, 'pending'::text]));

CREATE UNIQUE INDEX messages__client_key__idx ON public.messages USING btree (org_id, client_key) WHERE (client_key IS NOT NULL);

CREATE INDEX messages__conversation__idx ON public.messages USING btree (conversation_id, occurred_at DESC, id DESC);

CREATE INDEX messages__org_conversation__idx ON public.messages USING btree (org_id, conversation_id);

CREATE INDEX messages__sent_by__idx ON public.messages USING btree (sent_by) WHERE (sent_by IS NOT NULL);

CREATE INDEX messages__text__idx ON public.messages USING gin (to_tsvector('simple'::regconfig, COALESCE(body, ''::text)));

CREATE INDEX messages__uncertain__idx ON public.messages USING btree (created_at) WHERE is_uncertain;

CREATE UNIQUE INDEX messages__wa_message_id__idx ON public.messages USING btree (whatsapp_account_id, wa_message_id) WHERE (wa_message_id IS NOT NULL);

CREATE INDEX notifications__created_at__idx ON public.notifications USING brin (created_at);

CREATE INDEX notifications__org_id__idx ON public.notifications USING btree (org_id);

CREATE INDEX notifications__unread__idx ON public.notifications USING btree (user_id, org_id) WHERE (read_at IS NULL);

CREATE INDEX notifications__user__idx ON public.notifications USING btree (user_id, org_id, created_at DESC, id DESC);

CREATE INDEX org_invitations__invited_by__idx ON public.org_invitations USING btree (invited_by);

CREATE UNIQUE INDEX org_invitations__open__idx ON public.org_invitations USING btree (org_id, email) WHERE ((accepted_at IS NULL) AND (revoked_at IS NULL));

CREATE INDEX org_invitations__org_id__idx ON public.org_invitations USING btree (org_id, created_at DESC);

CREATE INDEX org_memberships__user_id__idx ON public.org_memberships USING btree (user_id);

CREATE UNIQUE INDEX tags__name__idx ON public.tags USING btree (org_id, lower(name));

CREATE INDEX whatsapp_accounts__org_id__idx ON public.whatsapp_accounts USING btree (org_id);

CREATE INDEX whatsapp_accounts__phone_number_id__idx ON public.whatsapp_accounts USING btree (phone_number_id);

CREATE UNIQUE INDEX whatsapp_accounts__receiving_number__idx ON public.whatsapp_accounts USING btree (phone_number_id) WHERE is_receiving;

CREATE INDEX whatsapp_events__account__idx ON public.whatsapp_events USING btree (org_id, whatsapp_account_id);

CREATE UNIQUE INDEX whatsapp_events__once__idx ON public.whatsapp_events USING btree (whatsapp_account_id, body_hash, field, md5((payload)::text));

CREATE INDEX whatsapp_events__org__idx ON public.whatsapp_events USING btree (org_id, created_at DESC);

ALTER TABLE ONLY private.outbox
    ADD CONSTRAINT outbox_message_id_fkey FOREIGN KEY (message_id) REFERENCES public.messages(id) ON DELETE CASCADE;

ALTER TABLE ONLY private.phone_leases
    ADD CONSTRAINT phone_leases_whatsapp_account_id_fkey FOREIGN KEY (whatsapp_account_id) REFERENCES public.whatsapp_accounts(id) ON DELETE CASCADE;

ALTER TABLE ONLY private.whatsapp_credentials
    ADD CONSTRAINT whatsapp_credentials_whatsapp_account_id_fkey FOREIGN KEY (whatsapp_account_id) REFERENCES public.whatsapp_accounts(id) ON DELETE CASCADE;

ALTER TABLE ONLY public.activity_log
    ADD CONSTRAINT activity_log_actor_id_fkey FOREIGN KEY (actor_id) REFERENCES auth.users(id) ON DELETE SET NULL;

ALTER TABLE ONLY public.activity_log
    ADD CONSTRAINT activity_log_org_id_fkey FOREIGN KEY (org_id) REFERENCES public.organizations(id) ON DELETE CASCADE;

ALTER TABLE ONLY public.contact_tags
    ADD CONSTRAINT contact_tags_org_id_contact_id_fkey FOREIGN KEY (org_id, contact_id) REFERENCES public.contacts(org_id, id) ON DELETE CASCADE;

ALTER TABLE ONLY public.contact_tags
    ADD CONSTRAINT contact_tags_org_id_tag_id_fkey FOREIGN KEY (org_id, tag_id) REFERENCES public.tags(org_id, id) ON DELETE CASCADE;

ALTER TABLE ONLY public.contacts
    ADD CONSTRAINT contacts_org_id_fkey FOREIGN KEY (org_id) REFERENCES public.organizations(id) ON DELETE CASCADE;

ALTER TABLE ONLY public.conversations
    ADD CONSTRAINT conversations_assigned_to_fkey FOREIGN KEY (assigned_to) REFERENCES auth.users(id) ON DELETE SET NULL;

ALTER TABLE ONLY public.conversations
    ADD CONSTRAINT conversations_org_id_contact_id_fkey FOREIGN KEY (org_id, contact_id) REFERENCES public.contacts(org_id, id) ON DELETE CASCADE;

ALTER TABLE ONLY public.conversations
    ADD CONSTRAINT conversations_org_id_whatsapp_account_id_fkey FOREIGN KEY (org_id, whatsapp_account_id) REFERENCES public.whatsapp_accounts(org_id, id) ON DELETE CASCADE;

ALTER TABLE ONLY public.messages
    ADD CONSTRAINT messages_org_id_conversation_id_fkey FOREIGN KEY (org_id, conversation_id) REFERENCES public.conversations(org_id, id) ON DELETE CASCADE;

ALTER TABLE ONLY public.messages
    ADD CONSTRAINT messages_sent_by_fkey FOREIGN KEY (sent_by) REFERENCES auth.users(id) ON DELETE SET NULL;

ALTER TABLE ONLY public.notifications
    ADD CONSTRAINT notifications_org_id_fkey FOREIGN KEY (org_id) REFERENCES public.organizations(id) ON DELETE CASCADE;

ALTER TABLE ONLY public.notifications
    ADD CONSTRAINT notifications_user_id_fkey FOREIGN KEY (user_id) REFERENCES auth.users(id) ON DELETE CASCADE;

ALTER TABLE ONLY public.org_invitations
    ADD CONSTRAINT org_invitations_invited_by_fkey FOREIGN KEY (invited_by) REFERENCES auth.users(id) ON DELETE SET NULL;

ALTER TABLE ONLY public.org_invitations
    ADD CONSTRAINT org_invitations_org_id_fkey FOREIGN KEY (org_id) REFERENCES public.organizations(id) ON DELETE CASCADE;

ALTER TABLE ONLY public.org_memberships
    ADD CONSTRAINT org_memberships_org_id_fkey FOREIGN KEY (org_id) REFERENCES public.organizations(id) ON DELETE CASCADE;

ALTER TABLE ONLY public.org_memberships
    ADD CONSTRAINT org_memberships_user_id_fkey FOREIGN KEY (user_id) REFERENCES auth.users(id) ON DELETE CASCADE;

ALTER TABLE ONLY public.org_memberships
    ADD CONSTRAINT org_memberships_user_id_fkey1 FOREIGN KEY (user_id) REFERENCES public.profiles(user_id) ON DELETE CASCADE;

ALTER TABLE ONLY public.profiles
    ADD CONSTRAINT profiles_user_id_fkey FOREIGN KEY (user_id) REFERENCES auth.users(id) ON DELETE CASCADE;

ALTER TABLE ONLY public.tags
    ADD CONSTRAINT tags_org_id_fkey FOREIGN KEY (org_id) REFERENCES public.organizations(id) ON DELETE CASCADE;

ALTER TABLE ONLY public.whatsapp_accounts
    ADD CONSTRAINT whatsapp_accounts_org_id_fkey FOREIGN KEY (org_id) REFERENCES public.organizations(id) ON DELETE CASCADE;

ALTER TABLE ONLY public.whatsapp_events
    ADD CONSTRAINT whatsapp_events_org_id_fkey FOREIGN KEY (org_id) REFERENCES public.organizations(id) ON DELETE CASCADE;

ALTER TABLE ONLY public.whatsapp_events
    ADD CONSTRAINT whatsapp_events_org_id_whatsapp_account_id_fkey FOREIGN KEY (org_id, whatsapp_account_id) REFERENCES public.whatsapp_accounts(org_id, id) ON DELETE CASCADE;

ALTER TABLE private.outbox ENABLE ROW LEVEL SECURITY;

ALTER TABLE private.parked_statuses ENABLE ROW LEVEL SECURITY;

ALTER TABLE private.phone_leases ENABLE ROW LEVEL SECURITY;

ALTER TABLE private.schema_code ENABLE ROW LEVEL SECURITY;

ALTER TABLE private.schema_migrations ENABLE ROW LEVEL SECURITY;

ALTER TABLE private.webhook_events ENABLE ROW LEVEL SECURITY;

ALTER TABLE private.whatsapp_credentials ENABLE ROW LEVEL SECURITY;

ALTER TABLE public.activity_log ENABLE ROW LEVEL SECURITY;

ALTER TABLE public.contact_tags ENABLE ROW LEVEL SECURITY;

ALTER TABLE public.contacts ENABLE ROW LEVEL SECURITY;

ALTER TABLE public.conversations ENABLE ROW LEVEL SECURITY;

ALTER TABLE public.messages ENABLE ROW LEVEL SECURITY;

ALTER TABLE public.notifications ENABLE ROW LEVEL SECURITY;

CREATE POLICY octopush_colleagues_select ON public.profiles FOR SELECT TO authenticated USING (((user_id = ( SELECT auth.uid() AS uid)) OR (user_id = ANY (( SELECT private.my_colleague_ids() AS my_colleague_ids)::uuid[]))));

CREATE POLICY octopush_managers_select ON public.org_invitations FOR SELECT TO authenticated USING ((org_id = ANY (( SELECT private.my_orgs_with('settings.manage'::text) AS my_orgs_with)::uuid[])));

CREATE POLICY octopush_managers_select ON public.whatsapp_events FOR SELECT TO authenticated USING ((org_id = ANY (( SELECT private.my_orgs_with('settings.manage'::text) AS my_orgs_with)::uuid[])));

CREATE POLICY octopush_members_select ON public.activity_log FOR SELECT TO authenticated USING ((org_id = ANY (( SELECT private.my_org_ids() AS my_org_ids)::uuid[])));

CREATE POLICY octopush_members_select ON public.contact_tags FOR SELECT TO authenticated USING ((org_id = ANY (( SELECT private.my_org_ids() AS my_org_ids)::uuid[])));

CREATE POLICY octopush_members_select ON public.contacts FOR SELECT TO authenticated USING (((org_id = ANY (( SELECT private.my_org_ids() AS my_org_ids)::uuid[])) AND ((deleted_at IS NULL) OR (org_id = ANY (( SELECT private.my_orgs_with('contacts.trash'::text) AS my_orgs_with)::uuid[])))));

CREATE POLICY octopush_members_select ON public.conversations FOR SELECT TO authenticated USING ((org_id = ANY (( SELECT private.my_org_ids() AS my_org_ids)::uuid[])));

CREATE POLICY octopush_members_select ON public.messages FOR SELECT TO authenticated USING ((org_id = ANY (( SELECT private.my_org_ids() AS my_org_ids)::uuid[])));

CREATE POLICY octopush_members_select ON public.org_memberships FOR SELECT TO authenticated USING ((org_id = ANY (( SELECT private.my_org_ids() AS my_org_ids)::uuid[])));

CREATE POLICY octopush_members_select ON public.organizations FOR SELECT TO authenticated USING ((id = ANY (( SELECT private.my_org_ids() AS my_org_ids)::uuid[])));

CREATE POLICY octopush_members_select ON public.tags FOR SELECT TO authenticated USING ((org_id = ANY (( SELECT private.my_org_ids() AS my_org_ids)::uuid[])));

CREATE POLICY octopush_members_select ON public.whatsapp_accounts FOR SELECT TO authenticated USING ((org_id = ANY (( SELECT private.my_org_ids() AS my_org_ids)::uuid[])));

CREATE POLICY octopush_recipient_select ON public.notifications FOR SELECT TO authenticated USING (((user_id = ( SELECT auth.uid() AS uid)) AND (org_id = ANY (( SELECT private.my_org_ids() AS my_org_ids)::uuid[]))));

ALTER TABLE public.org_invitations ENABLE ROW LEVEL SECURITY;

ALTER TABLE public.org_memberships ENABLE ROW LEVEL SECURITY;

ALTER TABLE public.organizations ENABLE ROW LEVEL SECURITY;

ALTER TABLE public.profiles ENABLE ROW LEVEL SECURITY;

ALTER TABLE public.tags ENABLE ROW LEVEL SECURITY;

ALTER TABLE public.whatsapp_accounts ENABLE ROW LEVEL SECURITY;

ALTER TABLE public.whatsapp_events ENABLE ROW LEVEL SECURITY;

GRANT USAGE ON SCHEMA private TO authenticated;
GRANT USAGE ON SCHEMA private TO service_role;

REVOKE USAGE ON SCHEMA public FROM PUBLIC;
GRANT ALL ON SCHEMA public TO postgres;
GRANT USAGE ON SCHEMA public TO anon;
GRANT USAGE ON SCHEMA public TO authenticated;
GRANT USAGE ON SCHEMA public TO service_role;

GRANT USAGE ON SCHEMA worker TO octopush_worker;

GRANT SELECT ON TABLE public.conversations TO authenticated;
GRANT SELECT ON TABLE public.conversations TO service_role;

REVOKE ALL ON FUNCTION private.add_system_message(p_conversation public.conversations, p_event text, p_payload jsonb) FROM PUBLIC;

REVOKE ALL ON FUNCTION private.apply_reactions(p_reactions jsonb) FROM PUBLIC;

REVOKE ALL ON FUNCTION private.broadcast(p_topic text, p_event text, p_payload jsonb) FROM PUBLIC;

REVOKE ALL ON FUNCTION private.broadcast_conversations(p_org_id uuid, p_conversation_ids uuid[]) FROM PUBLIC;

REVOKE ALL ON FUNCTION private.broadcast_messages(p_conversation_id uuid, p_message_ids uuid[]) FROM PUBLIC;

REVOKE ALL ON FUNCTION private.check_message_content(p_type text, p_body text, p_payload jsonb) FROM PUBLIC;

REVOKE ALL ON FUNCTION private.check_organization_fields(p_name text, p_country text, p_time_zone text) FROM PUBLIC;

REVOKE ALL ON FUNCTION private.clock() FROM PUBLIC;

GRANT SELECT ON TABLE public.contacts TO authenticated;
GRANT SELECT ON TABLE public.contacts TO service_role;

REVOKE ALL ON FUNCTION private.contact_for(p_id uuid, p_permission text) FROM PUBLIC;

REVOKE ALL ON FUNCTION private.contact_phone(p_org_id uuid, p_phone text) FROM PUBLIC;

REVOKE ALL ON FUNCTION private.conversation_for(p_id uuid, p_permission text) FROM PUBLIC;

REVOKE ALL ON FUNCTION private.disconnect_account(p_account_id uuid) FROM PUBLIC;

REVOKE ALL ON FUNCTION private.enrich_contacts(p_senders jsonb) FROM PUBLIC;

REVOKE ALL ON FUNCTION private.fail_messages(p_failures jsonb) FROM PUBLIC;

REVOKE ALL ON FUNCTION private.fail_outbox(p_account_id uuid, p_code text) FROM PUBLIC;

REVOKE ALL ON FUNCTION private.fold_inbound(p_events jsonb, p_inserted jsonb, p_new_conversation_ids uuid[]) FROM PUBLIC;

REVOKE ALL ON FUNCTION private.known_statuses(p_events jsonb) FROM PUBLIC;

REVOKE ALL ON FUNCTION private.lock_member(p_org_id uuid, p_user_id uuid, p_permission text) FROM PUBLIC;

REVOKE ALL ON FUNCTION private.lock_wa_message_ids(p_wa_message_ids text[]) FROM PUBLIC;

REVOKE ALL ON FUNCTION private.may_hear(p_topic text) FROM PUBLIC;
GRANT ALL ON FUNCTION private.may_hear(p_topic text) TO authenticated;
GRANT ALL ON FUNCTION private.may_hear(p_topic text) TO service_role;

REVOKE ALL ON FUNCTION private.may_send(p_conversation_id uuid, p_type text) FROM PUBLIC;

REVOKE ALL ON FUNCTION private.member_has(p_org_id uuid, p_user_id uuid, p_permission text) FROM PUBLIC;

REVOKE ALL ON FUNCTION private.members_with(p_org_id uuid, p_permission text) FROM PUBLIC;

REVOKE ALL ON FUNCTION private.merge_contact_fields(p_base public.contacts, p_fields jsonb) FROM PUBLIC;

REVOKE ALL ON FUNCTION private.my_colleague_ids() FROM PUBLIC;
GRANT ALL ON FUNCTION private.my_colleague_ids() TO authenticated;
GRANT ALL ON FUNCTION private.my_colleague_ids() TO service_role;

REVOKE ALL ON FUNCTION private.my_org_ids() FROM PUBLIC;
GRANT ALL ON FUNCTION private.my_org_ids() TO authenticated;
GRANT ALL ON FUNCTION private.my_org_ids() TO service_role;

REVOKE ALL ON FUNCTION private.my_orgs_with(p_permission text) FROM PUBLIC;
GRANT ALL ON FUNCTION private.my_orgs_with(p_permission text) TO authenticated;
GRANT ALL ON FUNCTION private.my_orgs_with(p_permission text) TO service_role;

REVOKE ALL ON FUNCTION private.notify_members(p_org_id uuid, p_user_ids uuid[], p_kind text, p_priority text, p_data jsonb) FROM PUBLIC;

REVOKE ALL ON FUNCTION private.other_statuses(p_events jsonb, p_known jsonb) FROM PUBLIC;

REVOKE ALL ON FUNCTION private.queue_message(p_message_id uuid, p_lane integer) FROM PUBLIC;

REVOKE ALL ON FUNCTION private.raise_error(p_code text, p_details jsonb) FROM PUBLIC;

REVOKE ALL ON FUNCTION private.record_activity(p_org_id uuid, p_kind text, p_actor_id uuid, p_contact_id uuid, p_conversation_id uuid, p_data jsonb) FROM PUBLIC;

REVOKE ALL ON FUNCTION private.release_assignments(p_org_id uuid, p_user_id uuid) FROM PUBLIC;

REVOKE ALL ON FUNCTION private.require_permission(p_org_id uuid, p_permission text) FROM PUBLIC;

REVOKE ALL ON FUNCTION private.resolve_contact(p_org_id uuid, p_wa_id text, p_bsuid text, p_profile_name text, p_username text) FROM PUBLIC;

REVOKE ALL ON FUNCTION private.role_permissions(p_role text) FROM PUBLIC;

REVOKE ALL ON FUNCTION private.role_rank(p_role text) FROM PUBLIC;

REVOKE ALL ON FUNCTION private.send_refusal(p_account_status text, p_quality_rating text, p_contact_deleted boolean, p_opt_in_status text, p_window_expires_at timestamp with time zone, p_type text, p_is_marketing boolean, p_now timestamp with time zone) FROM PUBLIC;

REVOKE ALL ON FUNCTION private.sender_lock_class() FROM PUBLIC;

REVOKE ALL ON FUNCTION private.set_conversation_status(p_conversation_id uuid, p_status text, p_event text) FROM PUBLIC;

REVOKE ALL ON FUNCTION private.settle_abandoned_sends(p_account_id uuid, p_new_holder uuid) FROM PUBLIC;

REVOKE ALL ON FUNCTION private.settle_parked_statuses(p_accepted jsonb) FROM PUBLIC;

REVOKE ALL ON FUNCTION private.settle_statuses(p_events jsonb) FROM PUBLIC;

REVOKE ALL ON FUNCTION private.status_rank(p_status text) FROM PUBLIC;

GRANT SELECT ON TABLE public.messages TO authenticated;
GRANT SELECT ON TABLE public.messages TO service_role;

REVOKE ALL ON FUNCTION private.touch_conversation(p_conversation_id uuid, p_message public.messages) FROM PUBLIC;

REVOKE ALL ON FUNCTION private.verified_email() FROM PUBLIC;

REVOKE ALL ON FUNCTION private.with_contacts(p_events jsonb) FROM PUBLIC;

REVOKE ALL ON FUNCTION public.accept_invitation(p_token text) FROM PUBLIC;
GRANT ALL ON FUNCTION public.accept_invitation(p_token text) TO authenticated;

REVOKE ALL ON FUNCTION public.add_note(p_conversation_id uuid, p_body text, p_client_key text) FROM PUBLIC;
GRANT ALL ON FUNCTION public.add_note(p_conversation_id uuid, p_body text, p_client_key text) TO authenticated;

REVOKE ALL ON FUNCTION public.assign_conversation(p_conversation_id uuid, p_user_id uuid) FROM PUBLIC;
GRANT ALL ON FUNCTION public.assign_conversation(p_conversation_id uuid, p_user_id uuid) TO authenticated;

REVOKE ALL ON FUNCTION public.complete_onboarding(p_full_name text, p_org_name text, p_country text, p_time_zone text) FROM PUBLIC;
GRANT ALL ON FUNCTION public.complete_onboarding(p_full_name text, p_org_name text, p_country text, p_time_zone text) TO authenticated;

REVOKE ALL ON FUNCTION public.connect_whatsapp_account(p_org_id uuid, p_waba_id text, p_phone_number_id text, p_access_token text) FROM PUBLIC;
GRANT ALL ON FUNCTION public.connect_whatsapp_account(p_org_id uuid, p_waba_id text, p_phone_number_id text, p_access_token text) TO authenticated;

REVOKE ALL ON FUNCTION public.create_contact(p_org_id uuid, p_fields jsonb) FROM PUBLIC;
GRANT ALL ON FUNCTION public.create_contact(p_org_id uuid, p_fields jsonb) TO authenticated;

GRANT SELECT ON TABLE public.tags TO authenticated;
GRANT SELECT ON TABLE public.tags TO service_role;

REVOKE ALL ON FUNCTION public.create_tag(p_org_id uuid, p_name text, p_color text) FROM PUBLIC;
GRANT ALL ON FUNCTION public.create_tag(p_org_id uuid, p_name text, p_color text) TO authenticated;

REVOKE ALL ON FUNCTION public.delete_contact(p_id uuid) FROM PUBLIC;
GRANT ALL ON FUNCTION public.delete_contact(p_id uuid) TO authenticated;

REVOKE ALL ON FUNCTION public.delete_organization(p_org_id uuid, p_confirm_name text) FROM PUBLIC;
GRANT ALL ON FUNCTION public.delete_organization(p_org_id uuid, p_confirm_name text) TO authenticated;

REVOKE ALL ON FUNCTION public.delete_tag(p_id uuid) FROM PUBLIC;
GRANT ALL ON FUNCTION public.delete_tag(p_id uuid) TO authenticated;

REVOKE ALL ON FUNCTION public.disconnect_whatsapp_account(p_id uuid) FROM PUBLIC;
GRANT ALL ON FUNCTION public.disconnect_whatsapp_account(p_id uuid) TO authenticated;

REVOKE ALL ON FUNCTION public.invite_member(p_org_id uuid, p_email text, p_role text) FROM PUBLIC;
GRANT ALL ON FUNCTION public.invite_member(p_org_id uuid, p_email text, p_role text) TO authenticated;

REVOKE ALL ON FUNCTION public.mark_conversation_read(p_conversation_id uuid) FROM PUBLIC;
GRANT ALL ON FUNCTION public.mark_conversation_read(p_conversation_id uuid) TO authenticated;

REVOKE ALL ON FUNCTION public.mark_conversation_unread(p_conversation_id uuid) FROM PUBLIC;
GRANT ALL ON FUNCTION public.mark_conversation_unread(p_conversation_id uuid) TO authenticated;

REVOKE ALL ON FUNCTION public.mark_notifications_read(p_org_id uuid, p_ids uuid[]) FROM PUBLIC;
GRANT ALL ON FUNCTION public.mark_notifications_read(p_org_id uuid, p_ids uuid[]) TO authenticated;

REVOKE ALL ON FUNCTION public.remove_member(p_org_id uuid, p_user_id uuid) FROM PUBLIC;
GRANT ALL ON FUNCTION public.remove_member(p_org_id uuid, p_user_id uuid) TO authenticated;

REVOKE ALL ON FUNCTION public.reopen_conversation(p_conversation_id uuid) FROM PUBLIC;
GRANT ALL ON FUNCTION public.reopen_conversation(p_conversation_id uuid) TO authenticated;

REVOKE ALL ON FUNCTION public.resolve_conversation(p_conversation_id uuid) FROM PUBLIC;
GRANT ALL ON FUNCTION public.resolve_conversation(p_conversation_id uuid) TO authenticated;

REVOKE ALL ON FUNCTION public.restore_contact(p_id uuid) FROM PUBLIC;
GRANT ALL ON FUNCTION public.restore_contact(p_id uuid) TO authenticated;

REVOKE ALL ON FUNCTION public.retry_message(p_message_id uuid) FROM PUBLIC;
GRANT ALL ON FUNCTION public.retry_message(p_message_id uuid) TO authenticated;

REVOKE ALL ON FUNCTION public.revoke_invitation(p_id uuid) FROM PUBLIC;
GRANT ALL ON FUNCTION public.revoke_invitation(p_id uuid) TO authenticated;

REVOKE ALL ON FUNCTION public.search_conversations(p_org_id uuid, p_query text, p_limit integer) FROM PUBLIC;
GRANT ALL ON FUNCTION public.search_conversations(p_org_id uuid, p_query text, p_limit integer) TO authenticated;

REVOKE ALL ON FUNCTION public.send_message(p_conversation_id uuid, p_client_key text, p_type text, p_body text, p_payload jsonb, p_reply_to uuid) FROM PUBLIC;
GRANT ALL ON FUNCTION public.send_message(p_conversation_id uuid, p_client_key text, p_type text, p_body text, p_payload jsonb, p_reply_to uuid) TO authenticated;

REVOKE ALL ON FUNCTION public.set_contact_consent(p_id uuid, p_status text, p_source text) FROM PUBLIC;
GRANT ALL ON FUNCTION public.set_contact_consent(p_id uuid, p_status text, p_source text) TO authenticated;

REVOKE ALL ON FUNCTION public.set_contact_tags(p_id uuid, p_tag_ids uuid[]) FROM PUBLIC;
GRANT ALL ON FUNCTION public.set_contact_tags(p_id uuid, p_tag_ids uuid[]) TO authenticated;

REVOKE ALL ON FUNCTION public.set_member_role(p_org_id uuid, p_user_id uuid, p_role text) FROM PUBLIC;
GRANT ALL ON FUNCTION public.set_member_role(p_org_id uuid, p_user_id uuid, p_role text) TO authenticated;

REVOKE ALL ON FUNCTION public.snooze_conversation(p_conversation_id uuid, p_until timestamp with time zone) FROM PUBLIC;
GRANT ALL ON FUNCTION public.snooze_conversation(p_conversation_id uuid, p_until timestamp with time zone) TO authenticated;

REVOKE ALL ON FUNCTION public.start_conversation(p_contact_id uuid, p_whatsapp_account_id uuid) FROM PUBLIC;
GRANT ALL ON FUNCTION public.start_conversation(p_contact_id uuid, p_whatsapp_account_id uuid) TO authenticated;

REVOKE ALL ON FUNCTION public.transfer_ownership(p_org_id uuid, p_user_id uuid) FROM PUBLIC;
GRANT ALL ON FUNCTION public.transfer_ownership(p_org_id uuid, p_user_id uuid) TO authenticated;

REVOKE ALL ON FUNCTION public.update_contact(p_id uuid, p_fields jsonb, p_expected_updated_at timestamp with time zone) FROM PUBLIC;
GRANT ALL ON FUNCTION public.update_contact(p_id uuid, p_fields jsonb, p_expected_updated_at timestamp with time zone) TO authenticated;

REVOKE ALL ON FUNCTION public.update_organization(p_org_id uuid, p_name text, p_country text, p_time_zone text) FROM PUBLIC;
GRANT ALL ON FUNCTION public.update_organization(p_org_id uuid, p_name text, p_country text, p_time_zone text) TO authenticated;

REVOKE ALL ON FUNCTION public.update_profile(p_full_name text) FROM PUBLIC;
GRANT ALL ON FUNCTION public.update_profile(p_full_name text) TO authenticated;

REVOKE ALL ON FUNCTION worker.announce_sender(p_lock_key integer) FROM PUBLIC;
GRANT ALL ON FUNCTION worker.announce_sender(p_lock_key integer) TO octopush_worker;

REVOKE ALL ON FUNCTION worker.apply_messages(p_events jsonb) FROM PUBLIC;
GRANT ALL ON FUNCTION worker.apply_messages(p_events jsonb) TO octopush_worker;

REVOKE ALL ON FUNCTION worker.apply_statuses(p_events jsonb) FROM PUBLIC;
GRANT ALL ON FUNCTION worker.apply_statuses(p_events jsonb) TO octopush_worker;

REVOKE ALL ON FUNCTION worker.claim_account_checks(p_limit integer) FROM PUBLIC;
GRANT ALL ON FUNCTION worker.claim_account_checks(p_limit integer) TO octopush_worker;

REVOKE ALL ON FUNCTION worker.claim_sends(p_holder uuid, p_account_id uuid, p_limit integer) FROM PUBLIC;
GRANT ALL ON FUNCTION worker.claim_sends(p_holder uuid, p_account_id uuid, p_limit integer) TO octopush_worker;

REVOKE ALL ON FUNCTION worker.claim_webhooks(p_limit integer) FROM PUBLIC;
GRANT ALL ON FUNCTION worker.claim_webhooks(p_limit integer) TO octopush_worker;

REVOKE ALL ON FUNCTION worker.finish_webhooks(p_ids bigint[]) FROM PUBLIC;
GRANT ALL ON FUNCTION worker.finish_webhooks(p_ids bigint[]) TO octopush_worker;

REVOKE ALL ON FUNCTION worker.lease_numbers(p_holder uuid, p_lock_key integer, p_seconds integer, p_ready_cap integer) FROM PUBLIC;
GRANT ALL ON FUNCTION worker.lease_numbers(p_holder uuid, p_lock_key integer, p_seconds integer, p_ready_cap integer) TO octopush_worker;

REVOKE ALL ON FUNCTION worker.pause_number(p_account_id uuid, p_seconds double precision) FROM PUBLIC;
GRANT ALL ON FUNCTION worker.pause_number(p_account_id uuid, p_seconds double precision) TO octopush_worker;

REVOKE ALL ON FUNCTION worker.purge(p_limit integer) FROM PUBLIC;
GRANT ALL ON FUNCTION worker.purge(p_limit integer) TO octopush_worker;

REVOKE ALL ON FUNCTION worker.queue_figures() FROM PUBLIC;
GRANT ALL ON FUNCTION worker.queue_figures() TO octopush_worker;

REVOKE ALL ON FUNCTION worker.record_account_check(p_account_id uuid, p_secret_id uuid, p_outcome jsonb) FROM PUBLIC;
GRANT ALL ON FUNCTION worker.record_account_check(p_account_id uuid, p_secret_id uuid, p_outcome jsonb) TO octopush_worker;

REVOKE ALL ON FUNCTION worker.record_account_events(p_events jsonb) FROM PUBLIC;
GRANT ALL ON FUNCTION worker.record_account_events(p_events jsonb) TO octopush_worker;

REVOKE ALL ON FUNCTION worker.record_sends(p_results jsonb) FROM PUBLIC;
GRANT ALL ON FUNCTION worker.record_sends(p_results jsonb) TO octopush_worker;

REVOKE ALL ON FUNCTION worker.reject_webhook(p_id bigint, p_problem text) FROM PUBLIC;
GRANT ALL ON FUNCTION worker.reject_webhook(p_id bigint, p_problem text) TO octopush_worker;

REVOKE ALL ON FUNCTION worker.rejected_webhooks(p_limit integer) FROM PUBLIC;
GRANT ALL ON FUNCTION worker.rejected_webhooks(p_limit integer) TO octopush_worker;

REVOKE ALL ON FUNCTION worker.release_leases(p_holder uuid) FROM PUBLIC;
GRANT ALL ON FUNCTION worker.release_leases(p_holder uuid) TO octopush_worker;

REVOKE ALL ON FUNCTION worker.replay_webhooks(p_ids bigint[]) FROM PUBLIC;
GRANT ALL ON FUNCTION worker.replay_webhooks(p_ids bigint[]) TO octopush_worker;

REVOKE ALL ON FUNCTION worker.store_webhooks(p_bodies bytea[]) FROM PUBLIC;
GRANT ALL ON FUNCTION worker.store_webhooks(p_bodies bytea[]) TO octopush_worker;

REVOKE ALL ON FUNCTION worker.suspend_number(p_account_id uuid, p_reason text) FROM PUBLIC;
GRANT ALL ON FUNCTION worker.suspend_number(p_account_id uuid, p_reason text) TO octopush_worker;

REVOKE ALL ON FUNCTION worker.sweep_windows(p_limit integer) FROM PUBLIC;
GRANT ALL ON FUNCTION worker.sweep_windows(p_limit integer) TO octopush_worker;

REVOKE ALL ON FUNCTION worker.versions() FROM PUBLIC;
GRANT ALL ON FUNCTION worker.versions() TO octopush_worker;

REVOKE ALL ON FUNCTION worker.wake_snoozed(p_limit integer) FROM PUBLIC;
GRANT ALL ON FUNCTION worker.wake_snoozed(p_limit integer) TO octopush_worker;

GRANT SELECT ON TABLE public.activity_log TO authenticated;
GRANT SELECT ON TABLE public.activity_log TO service_role;

GRANT SELECT ON TABLE public.contact_tags TO authenticated;
GRANT SELECT ON TABLE public.contact_tags TO service_role;

GRANT SELECT ON TABLE public.whatsapp_accounts TO authenticated;
GRANT SELECT ON TABLE public.whatsapp_accounts TO service_role;

GRANT SELECT ON TABLE public.conversation_list TO authenticated;
GRANT SELECT ON TABLE public.conversation_list TO service_role;

GRANT SELECT ON TABLE public.notifications TO authenticated;
GRANT SELECT ON TABLE public.notifications TO service_role;

GRANT SELECT(id) ON TABLE public.org_invitations TO authenticated;

GRANT SELECT(org_id) ON TABLE public.org_invitations TO authenticated;

GRANT SELECT(email) ON TABLE public.org_invitations TO authenticated;

GRANT SELECT(role) ON TABLE public.org_invitations TO authenticated;

GRANT SELECT(invited_by) ON TABLE public.org_invitations TO authenticated;

GRANT SELECT(expires_at) ON TABLE public.org_invitations TO authenticated;

GRANT SELECT(accepted_at) ON TABLE public.org_invitations TO authenticated;

GRANT SELECT(revoked_at) ON TABLE public.org_invitations TO authenticated;

GRANT SELECT(created_at) ON TABLE public.org_invitations TO authenticated;

GRANT SELECT ON TABLE public.org_memberships TO authenticated;
GRANT SELECT ON TABLE public.org_memberships TO service_role;

GRANT SELECT ON TABLE public.organizations TO authenticated;
GRANT SELECT ON TABLE public.organizations TO service_role;

GRANT SELECT ON TABLE public.profiles TO authenticated;
GRANT SELECT ON TABLE public.profiles TO service_role;

GRANT SELECT ON TABLE public.whatsapp_events TO authenticated;
GRANT SELECT ON TABLE public.whatsapp_events TO service_role;

