-- What a person says: messages, notes, another try. Called by the composer.
-- Must stay true: the same client_key never makes two messages; nothing enters the outbox that private.send_refusal would refuse; what goes
-- to Meta of a template is made here, never taken from the caller.

create or replace function private.queue_message(p_message_id uuid, p_lane integer)
returns void
language plpgsql volatile
set search_path = ''
as $$
begin
    insert into private.outbox (message_id, org_id, whatsapp_account_id, conversation_id, lane)
    select m.id, m.org_id, m.whatsapp_account_id, m.conversation_id, p_lane from public.messages m where m.id = p_message_id;
    perform pg_catalog.pg_notify('octopush_send', '');
end
$$;

create or replace function private.touch_conversation(p_conversation_id uuid, p_message public.messages)
returns void
language sql volatile
set search_path = ''
as $$
    update public.conversations set
        last_message_id = p_message.id, last_message_at = p_message.occurred_at, last_message_type = p_message.type,
        last_message_preview = left(p_message.body, 160), last_message_direction = p_message.direction,
        is_quiet = false, updated_at = now()
    where id = p_conversation_id
$$;

create or replace function private.check_message_content(p_type text, p_body text, p_payload jsonb)
returns void
language plpgsql stable
set search_path = ''
as $$
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
    elsif p_type in ('interactive', 'contacts') then
        if p_payload is null or jsonb_typeof(p_payload) not in ('object', 'array') then
            perform private.raise_error('MESSAGE_003', '{"field": "payload"}');
        end if;
    else
        perform private.raise_error('MESSAGE_003', jsonb_build_object('field', 'type', 'type', p_type));
    end if;
end
$$;

create or replace function public.send_message(
    p_conversation_id uuid,
    p_client_key text,
    p_type text default 'text',
    p_body text default null,
    p_payload jsonb default null,
    p_reply_to uuid default null
) returns public.messages
language plpgsql volatile security definer
set search_path = ''
as $$
declare
    v_conversation public.conversations := private.conversation_for(p_conversation_id, 'inbox.answer');
    v_message public.messages;
    v_id uuid := octopush.uuid_v7();
    v_template public.templates;
    v_content jsonb;
    v_refusal text;
    v_quoted text;
begin
    if p_client_key is null or length(p_client_key) not between 8 and 100 then
        perform private.raise_error('MESSAGE_005');
    end if;
    select m.* into v_message from public.messages m where m.org_id = v_conversation.org_id and m.client_key = p_client_key;
    if found then
        if v_message.conversation_id <> p_conversation_id or v_message.type is distinct from p_type or v_message.direction <> 'outbound'
            or (p_type <> 'template' and v_message.body is distinct from p_body) or v_message.payload - 'template' is distinct from p_payload
            or v_message.reply_to_message_id is distinct from p_reply_to then
            perform private.raise_error('MESSAGE_005');
        end if;
        return v_message;
    end if;
    if p_type = 'template' then
        v_template := private.sendable_template(v_conversation.org_id, p_payload);
    else
        perform private.check_message_content(p_type, p_body, p_payload);
    end if;
    v_refusal := private.may_send(p_conversation_id, p_type, v_template.id);
    if v_refusal is not null then
        perform private.raise_error(v_refusal, jsonb_strip_nulls(jsonb_build_object('window_expires_at', v_conversation.window_expires_at,
            'status', v_template.status)));
    end if;
    if p_reply_to is not null then
        select m.wa_message_id into v_quoted from public.messages m where m.id = p_reply_to and m.conversation_id = p_conversation_id;
        if not found then
            perform private.raise_error('MESSAGE_001');
        end if;
    end if;
    if p_type = 'template' then
        v_content := private.template_content(v_template, p_payload -> 'values', v_conversation.contact_id, v_id);
        p_body := v_content ->> 'body';
        p_payload := p_payload || jsonb_build_object('template', v_content -> 'message');
    end if;
    insert into public.messages (id, org_id, conversation_id, whatsapp_account_id, contact_id, direction, type, body, payload, template_id, status,
        client_key, sent_by, reply_to_message_id, reply_to_wa_message_id)
    values (v_id, v_conversation.org_id, p_conversation_id, v_conversation.whatsapp_account_id, v_conversation.contact_id, 'outbound', p_type,
        p_body, p_payload, v_template.id, 'pending', p_client_key, (select auth.uid()), p_reply_to, v_quoted)
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
comment on function public.send_message(uuid, text, text, text, jsonb, uuid) is
    'Queues a message. p_client_key: 8–100 characters, the same key again returns the same message. p_type: text | image | video | audio | document | sticker | location | interactive | contacts | template (p_payload {"template_id", "values"}; the body is made of them). Errors: AUTH_003, CONVERSATION_001, MESSAGE_001–003, MESSAGE_005, WA_002 (details.status), WA_005–WA_007, CONTACT_004, CONTACT_008, TEMPLATE_001, TEMPLATE_009 (details.problems).';

create or replace function public.add_note(p_conversation_id uuid, p_body text, p_client_key text)
returns public.messages
language plpgsql volatile security definer
set search_path = ''
as $$
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
comment on function public.add_note(uuid, text, text) is
    'An internal note: a message of direction internal, which no sender ever claims. Errors: AUTH_003, CONVERSATION_001, MESSAGE_002, MESSAGE_005.';

create or replace function public.retry_message(p_message_id uuid)
returns public.messages
language plpgsql volatile security definer
set search_path = ''
as $$
declare
    v_message public.messages;
    v_conversation public.conversations;
    v_template public.templates;
    v_content jsonb;
    v_refusal text;
begin
    select m.* into v_message from public.messages m where m.id = p_message_id and m.org_id = any (private.my_org_ids());
    if not found then
        perform private.raise_error('MESSAGE_001');
    end if;
    v_conversation := private.conversation_for(v_message.conversation_id, 'inbox.answer');
    select m.* into v_message from public.messages m where m.id = p_message_id for no key update;
    -- An uncertain message may have reached the customer; sending it again is a person's decision, made with a new message. A campaign's
    -- is tried again by its campaign, whose ledger knows how often.
    if v_message.direction <> 'outbound' or v_message.status <> 'failed' or v_message.is_uncertain or v_message.campaign_id is not null then
        perform private.raise_error('MESSAGE_004');
    end if;
    v_refusal := private.may_send(v_message.conversation_id, v_message.type, v_message.template_id);
    if v_refusal is not null then
        perform private.raise_error(v_refusal, jsonb_build_object('window_expires_at', v_conversation.window_expires_at));
    end if;
    if v_message.type = 'template' then
        -- The template may have been edited since.
        select t.* into v_template from public.templates t where t.id = v_message.template_id;
        v_content := private.template_content(v_template, v_message.payload -> 'values', v_message.contact_id, p_message_id);
        v_message.body := v_content ->> 'body';
        v_message.payload := v_message.payload || jsonb_build_object('template', v_content -> 'message');
    end if;
    update public.messages m set
        body = v_message.body, payload = v_message.payload,
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
comment on function public.retry_message(uuid) is 'Sends a failed message again, a template as it is now. Errors: AUTH_003, MESSAGE_001, MESSAGE_004, WA_002, WA_005–WA_007, CONTACT_004, CONTACT_008, TEMPLATE_009 (details.problems).';
