-- Delivery statuses, applied in batches inside the applier's transaction. Called by octopush_worker only.
-- Must stay true: status only climbs pending < sent < failed < delivered < read, whatever the order of arrival (a later delivery proves a
-- failure wrong); the first time of each state is kept; a status of a message we cannot name yet is parked, not lost.

create or replace function private.status_rank(p_status text)
returns integer
language sql immutable parallel safe
set search_path = ''
as $$ select array_position(array['pending', 'sent', 'failed', 'delivered', 'read'], p_status) $$;

-- p_events: [{message_id, status, occurred_at, wa_message_id, error_code, error_message}], message_id known.
create or replace function private.settle_statuses(p_events jsonb)
returns void
language plpgsql volatile
set search_path = ''
as $$
declare
    v_changed jsonb;
    v_taken uuid[];
begin
    -- Those of which this is the first word from Meta that it took them.
    select array_agg(x.id) filter (where x.accepted_at is null) into v_taken from (
        select m.id, m.accepted_at from public.messages m
        where m.id in (select e.message_id from jsonb_to_recordset(p_events) as e (message_id uuid))
        order by m.id for no key update
    ) x;

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
    delete from private.outbox o where o.message_id = any (array(select c.id from jsonb_to_recordset(v_changed) as c (id uuid)));
    perform private.settle_ledger(array(select c.id from jsonb_to_recordset(v_changed) as c (id uuid)));
    if v_taken is not null then
        perform private.use_tier(v_taken);
    end if;
    perform private.broadcast_outcomes(v_changed);
    perform private.broadcast_conversations(v.org_id, array_agg(v.id))
    from jsonb_to_recordset(v_changed) as c (id uuid, conversation_id uuid)
    join public.conversations v on v.id = c.conversation_id and v.last_message_id = c.id and not v.is_quiet
    group by v.org_id;
end
$$;

-- The events whose message we know, with message_id: by Meta's id, or by ours that travelled with the message.
create or replace function private.known_statuses(p_events jsonb)
returns jsonb
language sql volatile
set search_path = ''
as $$
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

-- The events that are not in p_known.
create or replace function private.other_statuses(p_events jsonb, p_known jsonb)
returns jsonb
language sql immutable
set search_path = ''
as $$
    select jsonb_agg(e.value) from jsonb_array_elements(p_events) e
    where not exists (
        select from jsonb_to_recordset(coalesce(p_known, '[]')) as k (phone_number_id text, wa_message_id text)
        where k.phone_number_id = e.value ->> 'phone_number_id' and k.wa_message_id = e.value ->> 'wa_message_id')
$$;

-- Held by whoever gives a message its Meta id and by whoever parks a status for that id: one of the two then sees what the other wrote.
create or replace function private.lock_wa_message_ids(p_wa_message_ids text[])
returns void
language sql volatile
set search_path = ''
as $$
    select pg_catalog.pg_advisory_xact_lock(k.key)
    from (select distinct hashtextextended(x, 0) as key from unnest(p_wa_message_ids) x where x is not null order by 1) k
$$;

create or replace function worker.apply_statuses(p_events jsonb)
returns table (webhook_event_id bigint, problem text)
language plpgsql volatile security definer
set search_path = ''
as $$
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
comment on function worker.apply_statuses(jsonb) is
    '[{webhook_event_id, phone_number_id, wa_message_id, message_id?, send_try?, status sent|delivered|read|failed, occurred_at, error_code?, error_message?}] → webhooks that name no connected number.';
