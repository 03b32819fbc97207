-- Time moved forward: windows that closed, snoozes that ended, rows past their retention, and the figures /metrics and doctor show.
-- Called by the maintenance role of the worker, every few seconds; each call does a bounded piece and returns how much.
-- Must stay true: correctness never waits for a sweep (windows are judged by their time); sweeps only tell people.

create or replace function worker.sweep_windows(p_limit integer)
returns integer
language plpgsql volatile security definer
set search_path = ''
as $$
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

create or replace function worker.wake_snoozed(p_limit integer)
returns integer
language plpgsql volatile security definer
set search_path = ''
as $$
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

create or replace function worker.purge(p_limit integer)
returns integer
language plpgsql volatile security definer
set search_path = ''
as $$
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
    v_total := v_total + v_count + worker.purge_segment_events(p_limit) + worker.purge_link_clicks(p_limit);
    return v_total;
end
$$;

create or replace function worker.queue_figures()
returns table (webhooks_waiting bigint, webhooks_oldest_seconds double precision, webhooks_rejected bigint, sends_waiting bigint,
    sends_oldest_seconds double precision, sends_uncertain bigint)
language sql volatile security definer
set search_path = ''
as $$
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

create or replace function worker.versions()
returns table (extension_version text, schema_version integer, code_hash text)
language sql stable security definer
set search_path = ''
as $$
    select octopush.version(), (select max(version) from private.schema_migrations), (select hash from private.schema_code)
$$;
