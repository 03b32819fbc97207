-- What a person does to a conversation: read, assign, resolve, snooze, start (PRD §6). Called by the inbox.
-- Must stay true: unread_count = inbound messages with created_at > last_read_at; the row lock orders readers and the applier.

create or replace function private.conversation_for(p_id uuid, p_permission text)
returns public.conversations
language plpgsql volatile
set search_path = ''
as $$
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

-- A centred line in the chat ("Assigned to Aina by Ravi"); words are the UI's, payload carries the facts.
create or replace function private.add_system_message(p_conversation public.conversations, p_event text, p_payload jsonb default '{}')
returns void
language plpgsql volatile
set search_path = ''
as $$
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

create or replace function public.mark_conversation_read(p_conversation_id uuid)
returns void
language plpgsql volatile security definer
set search_path = ''
as $$
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
comment on function public.mark_conversation_read(uuid) is 'Errors: AUTH_003, CONVERSATION_001.';

create or replace function public.mark_conversation_unread(p_conversation_id uuid)
returns void
language plpgsql volatile security definer
set search_path = ''
as $$
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
comment on function public.mark_conversation_unread(uuid) is 'From the contact''s last message on. Errors: AUTH_003, CONVERSATION_001.';

create or replace function public.assign_conversation(p_conversation_id uuid, p_user_id uuid)
returns void
language plpgsql volatile security definer
set search_path = ''
as $$
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
comment on function public.assign_conversation(uuid, uuid) is 'null takes the assignment back. Errors: AUTH_003, CONVERSATION_001, CONVERSATION_002.';

create or replace function private.set_conversation_status(p_conversation_id uuid, p_status text, p_event text)
returns void
language plpgsql volatile
set search_path = ''
as $$
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

create or replace function public.resolve_conversation(p_conversation_id uuid)
returns void
language sql volatile security definer
set search_path = ''
as $$ select private.set_conversation_status(p_conversation_id, 'resolved', 'resolved') $$;
comment on function public.resolve_conversation(uuid) is 'Errors: AUTH_003, CONVERSATION_001.';

create or replace function public.reopen_conversation(p_conversation_id uuid)
returns void
language sql volatile security definer
set search_path = ''
as $$ select private.set_conversation_status(p_conversation_id, 'open', 'reopened') $$;
comment on function public.reopen_conversation(uuid) is 'Becomes open, or expired when the 24-hour window is over. Errors: AUTH_003, CONVERSATION_001.';

create or replace function public.snooze_conversation(p_conversation_id uuid, p_until timestamptz)
returns void
language plpgsql volatile security definer
set search_path = ''
as $$
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
comment on function public.snooze_conversation(uuid, timestamptz) is
    'pending until then, or until the contact writes; at most a year ahead. Errors: AUTH_003, CONVERSATION_001, CONVERSATION_003.';

create or replace function public.start_conversation(p_contact_id uuid, p_whatsapp_account_id uuid)
returns uuid
language plpgsql volatile security definer
set search_path = ''
as $$
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
comment on function public.start_conversation(uuid, uuid) is
    'The conversation of a contact on a number, made when there is none. Errors: AUTH_003, CONTACT_001, CONTACT_004, WA_006.';
