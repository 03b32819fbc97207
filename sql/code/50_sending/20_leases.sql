-- Each phone number belongs to one sender process at a time, so that its rate limiter is exact and in memory (design §8).
-- Called by the send role of the worker.
-- Must stay true: a number changes hands only when its holder's session is gone or its lease ran out; whatever the old holder had
-- handed to Meta without recording the answer becomes uncertain, and is never sent again.

-- "octo" in ASCII: the first half of the advisory lock by which a sender process shows that it lives.
create or replace function private.sender_lock_class()
returns integer
language sql immutable parallel safe
set search_path = ''
as $$ select 1868788847 $$;

create or replace function worker.announce_sender(p_lock_key integer)
returns boolean
language sql volatile security definer
set search_path = ''
as $$ select pg_catalog.pg_try_advisory_lock(private.sender_lock_class(), p_lock_key) $$;
comment on function worker.announce_sender(integer) is 'Called once on the sender''s LISTEN session; the lock lives as long as the session. false: the key is taken, choose another.';

-- Whether the process that announced this key still has its session. For leases of numbers and of jobs.
create or replace function private.is_session_alive(p_lock_key integer)
returns boolean
language sql volatile
set search_path = ''
as $$
    select exists (
        select from pg_catalog.pg_locks k
        where k.locktype = 'advisory' and k.classid = private.sender_lock_class()::oid and k.objid = p_lock_key::oid and k.granted
            and k.database = (select d.oid from pg_catalog.pg_database d where d.datname = current_database()))
$$;

create or replace function private.settle_abandoned_sends(p_account_id uuid, p_new_holder uuid)
returns void
language plpgsql volatile
set search_path = ''
as $$
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
        perform private.settle_ledger(array(select c.id from jsonb_to_recordset(v_changed) as c (id uuid)));
        perform private.broadcast_outcomes(v_changed);
    end if;
end
$$;

create or replace function worker.lease_numbers(p_holder uuid, p_lock_key integer, p_seconds integer, p_ready_cap integer)
returns table (whatsapp_account_id uuid, phone_number_id text, access_token text, credential_id uuid, messages_per_second integer, ready integer, next_ready_at timestamptz)
language plpgsql volatile security definer
set search_path = ''
as $$
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
                select from private.outbox o where o.whatsapp_account_id = a.id and o.state = 'sending'
                union all
                select from private.outbox o where o.whatsapp_account_id = a.id and o.state = 'ready' and a.status = 'connected')
            and (l.holder is null or l.holder = p_holder or l.lease_until < clock_timestamp() or not private.is_session_alive(l.lock_key))
            -- An extension is due at half time; before that there is nothing to write.
            and (l.holder is distinct from p_holder or l.lease_until < clock_timestamp() + make_interval(secs => p_seconds / 2.0))
        order by a.id
    loop
        insert into private.phone_leases as l (whatsapp_account_id, holder, lock_key, lease_until)
        values (v_account, p_holder, p_lock_key, clock_timestamp() + make_interval(secs => p_seconds))
        on conflict (whatsapp_account_id) do update
        set holder = excluded.holder, lock_key = excluded.lock_key, lease_until = excluded.lease_until
        where l.holder = p_holder or l.lease_until < clock_timestamp() or not private.is_session_alive(l.lock_key);
        if found then
            perform private.settle_abandoned_sends(v_account, p_holder);
        end if;
    end loop;
    return query
    select a.id, a.phone_number_id, s.decrypted_secret, c.secret_id, a.messages_per_second, r.ready::integer, r.next_ready_at
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
            where o.whatsapp_account_id = a.id and o.state = 'ready' and o.attempt > 0 and o.ready_at > v_now
        ) end as next_ready_at
    ) r
    where l.holder = p_holder and l.lease_until > clock_timestamp() and r.ready + coalesce(extract(epoch from r.next_ready_at), 0) > 0;
end
$$;
comment on function worker.lease_numbers(uuid, integer, integer, integer) is
    'Takes and extends the leases of numbers that have something to send; returns those held, with how many messages are ready (at most p_ready_cap).';

create or replace function worker.release_leases(p_holder uuid)
returns void
language sql volatile security definer
set search_path = ''
as $$ delete from private.phone_leases where holder = p_holder $$;
