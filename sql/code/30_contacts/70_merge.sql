-- Two contacts that turn out to be one person (design §6). Called by the contact's page.
-- Must stay true: nothing of either history is lost; locks are taken in the house's order (contacts, conversations, messages, outbox); of two
-- consents the stricter holds: a withdrawal wins over a consent, a consent over silence.

-- The messages of a conversation move into another one of the same number; both are locked. What the target shows is worked out anew.
create or replace function private.join_conversations(p_keep public.conversations, p_merge public.conversations)
returns void
language plpgsql volatile
set search_path = ''
as $$
declare
    v_first_unread timestamptz;
    v_last public.messages;
    v_status text := (
        select x.status from unnest(array['open', 'pending', 'expired', 'resolved']) with ordinality x (status, place)
        where x.status in (p_keep.status, p_merge.status) order by x.place limit 1);
begin
    -- From the earliest message that somebody has not read in either thread.
    select min(m.created_at) into v_first_unread from public.messages m
    where m.direction = 'inbound' and ((m.conversation_id = p_keep.id and m.created_at > p_keep.last_read_at)
        or (m.conversation_id = p_merge.id and m.created_at > p_merge.last_read_at));
    perform m.id from public.messages m where m.conversation_id = p_merge.id order by m.id for no key update;
    update public.messages m set conversation_id = p_keep.id, contact_id = p_keep.contact_id where m.conversation_id = p_merge.id;
    update private.outbox o set conversation_id = p_keep.id where o.conversation_id = p_merge.id;
    update public.activity_log l set conversation_id = p_keep.id where l.org_id = p_keep.org_id and l.contact_id = p_merge.contact_id
        and l.conversation_id = p_merge.id;
    update public.notifications n set data = n.data || jsonb_build_object('conversation_id', p_keep.id)
    where n.org_id = p_keep.org_id and n.data ->> 'conversation_id' = p_merge.id::text;

    select m.* into v_last from public.messages m
    where m.conversation_id = p_keep.id and m.direction <> 'internal' order by m.occurred_at desc, m.id desc limit 1;
    update public.conversations c set
        status = v_status, is_quiet = c.is_quiet and p_merge.is_quiet, assigned_to = coalesce(c.assigned_to, p_merge.assigned_to),
        window_expires_at = greatest(c.window_expires_at, p_merge.window_expires_at),
        window_warned_at = greatest(c.window_warned_at, p_merge.window_warned_at),
        snoozed_until = case when v_status = 'pending' then coalesce(c.snoozed_until, p_merge.snoozed_until) end,
        last_inbound_at = greatest(c.last_inbound_at, p_merge.last_inbound_at),
        last_read_at = coalesce(v_first_unread - interval '1 microsecond', greatest(c.last_read_at, p_merge.last_read_at)),
        unread_count = (select count(*) from public.messages m
            where m.conversation_id = c.id and m.direction = 'inbound' and m.created_at >= v_first_unread),
        last_message_id = v_last.id, last_message_at = coalesce(v_last.occurred_at, greatest(c.last_message_at, p_merge.last_message_at)),
        last_message_preview = left(v_last.body, 160), last_message_type = v_last.type, last_message_direction = v_last.direction,
        created_at = least(c.created_at, p_merge.created_at), updated_at = now()
    where c.id = p_keep.id;
    delete from public.conversations c where c.id = p_merge.id;
end
$$;

create or replace function public.merge_contacts(p_keep_id uuid, p_merge_id uuid)
returns public.contacts
language plpgsql volatile security definer
set search_path = ''
as $$
declare
    v_keep public.contacts;
    v_merge public.contacts;
    v_theirs public.conversations;
    v_ours public.conversations;
    v_conversation_ids uuid[];
    v_status text;
    v_waiting integer;
    v_waiting_at timestamptz;
begin
    -- In the order of ids, whichever is kept.
    perform c.id from public.contacts c where c.id in (p_keep_id, p_merge_id) and c.org_id = any (private.my_org_ids()) order by c.id for update;
    select c.* into v_keep from public.contacts c where c.id = p_keep_id and c.org_id = any (private.my_org_ids());
    if not found then
        perform private.raise_error('CONTACT_001');
    end if;
    perform private.require_permission(v_keep.org_id, 'contacts.write');
    perform private.require_permission(v_keep.org_id, 'contacts.delete');
    select c.* into v_merge from public.contacts c where c.id = p_merge_id and c.org_id = any (private.my_org_ids());
    if not found then
        perform private.raise_error('CONTACT_001');
    end if;
    if v_keep.id = v_merge.id or v_keep.org_id <> v_merge.org_id or v_keep.deleted_at is not null or v_merge.deleted_at is not null then
        perform private.raise_error('CONTACT_009');
    end if;
    select coalesce(array_agg(x.id), '{}') into v_conversation_ids from (
        select c.id from public.conversations c
        where c.org_id = v_keep.org_id and c.contact_id in (p_keep_id, p_merge_id) order by c.id for update
    ) x;

    for v_theirs in select c.* from public.conversations c where c.org_id = v_keep.org_id and c.contact_id = p_merge_id order by c.id loop
        select c.* into v_ours from public.conversations c
        where c.whatsapp_account_id = v_theirs.whatsapp_account_id and c.contact_id = p_keep_id;
        if found then
            perform private.join_conversations(v_ours, v_theirs);
        else
            perform m.id from public.messages m where m.conversation_id = v_theirs.id order by m.id for no key update;
            update public.messages m set contact_id = p_keep_id where m.conversation_id = v_theirs.id;
            update public.conversations c set contact_id = p_keep_id, updated_at = now() where c.id = v_theirs.id;
        end if;
    end loop;

    insert into public.contact_tags (org_id, contact_id, tag_id, created_at)
    select ct.org_id, p_keep_id, ct.tag_id, ct.created_at from public.contact_tags ct
    where ct.org_id = v_keep.org_id and ct.contact_id = p_merge_id
    on conflict do nothing;
    update public.contact_consents x set contact_id = p_keep_id where x.org_id = v_keep.org_id and x.contact_id = p_merge_id;
    update public.activity_log l set contact_id = p_keep_id where l.org_id = v_keep.org_id and l.contact_id = p_merge_id;
    update public.notifications n set data = n.data || jsonb_build_object('contact_id', p_keep_id)
    where n.org_id = v_keep.org_id and n.data ->> 'contact_id' = p_merge_id::text;
    -- Where a person pinned both, the pin of the one that stays holds.
    insert into public.segment_pins (segment_id, contact_id, org_id, kind, created_by, created_at)
    select p.segment_id, p_keep_id, p.org_id, p.kind, p.created_by, p.created_at from public.segment_pins p
    where p.org_id = v_keep.org_id and p.contact_id = p_merge_id
    on conflict do nothing;
    perform private.move_recipients(p_merge_id, p_keep_id);
    perform private.move_links(p_merge_id, p_keep_id);
    with waiting as (
        delete from private.sent_messages w where w.contact_id in (p_keep_id, p_merge_id) returning w.sent, w.last_at
    )
    -- What was taken back before it was sent was no last message, as in worker.fold_sent_messages.
    select coalesce(sum(w.sent), 0)::integer, case when sum(w.sent) > 0 then max(w.last_at) end into v_waiting, v_waiting_at from waiting w;

    v_status := case
        when 'opted_out' in (v_keep.opt_in_status, v_merge.opt_in_status) then 'opted_out'
        when 'opted_in' in (v_keep.opt_in_status, v_merge.opt_in_status) then 'opted_in'
        else 'pending' end;
    if v_status <> v_keep.opt_in_status then
        perform private.record_consents(v_keep.org_id, (select auth.uid()), jsonb_build_array(jsonb_build_object('contact_id', p_keep_id,
            'old', v_keep.opt_in_status, 'new', v_status, 'source', coalesce(v_merge.opt_in_source, 'manual'), 'evidence', 'Merged contact ' || p_merge_id)));
    end if;
    -- First the one that goes: an identity names one row at a time.
    delete from public.contacts c where c.id = p_merge_id;
    update public.contacts c set
        phone = coalesce(c.phone, v_merge.phone), wa_id = coalesce(c.wa_id, v_merge.wa_id), bsuid = coalesce(c.bsuid, v_merge.bsuid),
        username = coalesce(c.username, v_merge.username), full_name = coalesce(c.full_name, v_merge.full_name),
        email = coalesce(c.email, v_merge.email), avatar_url = coalesce(c.avatar_url, v_merge.avatar_url),
        company = coalesce(c.company, v_merge.company), job_title = coalesce(c.job_title, v_merge.job_title),
        address = coalesce(c.address, v_merge.address), birthday = coalesce(c.birthday, v_merge.birthday),
        notes = nullif(left(concat_ws(E'\n\n', c.notes, case when v_merge.notes is distinct from c.notes then v_merge.notes end), 10000), ''),
        custom_fields = v_merge.custom_fields || c.custom_fields,
        opt_in_status = v_status,
        opt_in_at = case when v_status = 'opted_in' then coalesce(case when c.opt_in_status = 'opted_in' then c.opt_in_at end, v_merge.opt_in_at)
            else coalesce(c.opt_in_at, v_merge.opt_in_at) end,
        opt_in_source = case when v_status = c.opt_in_status then c.opt_in_source else v_merge.opt_in_source end,
        messages_received = c.messages_received + v_merge.messages_received,
        messages_sent = c.messages_sent + v_merge.messages_sent + v_waiting,
        marketing_stopped_at = coalesce(c.marketing_stopped_at, v_merge.marketing_stopped_at),
        last_message_at = greatest(c.last_message_at, v_merge.last_message_at, v_waiting_at),
        last_inbound_at = greatest(c.last_inbound_at, v_merge.last_inbound_at),
        created_at = least(c.created_at, v_merge.created_at), updated_at = clock_timestamp()
    where c.id = p_keep_id returning c.* into v_keep;
    -- Pins moved, which no trigger of the segments watches.
    insert into private.contact_changes (org_id, contact_id) values (v_keep.org_id, p_keep_id);

    perform private.record_activity(v_keep.org_id, 'contact.merged', (select auth.uid()), p_keep_id,
        p_data => jsonb_build_object('merged_id', p_merge_id, 'name', v_merge.full_name));
    perform private.broadcast_contacts(v_keep.org_id, array[p_keep_id, p_merge_id]);
    if cardinality(v_conversation_ids) > 0 then
        perform private.broadcast_conversations(v_keep.org_id, v_conversation_ids);
        perform private.broadcast('conversation:' || x, 'messages', '{"all": true}') from unnest(v_conversation_ids) x;
    end if;
    return v_keep;
end
$$;
comment on function public.merge_contacts(uuid, uuid) is
    'The first contact gets what the second has: identities and fields where it has none, both histories, tags, consents, segment pins; the second is gone. Errors: AUTH_003, CONTACT_001, CONTACT_009.';
