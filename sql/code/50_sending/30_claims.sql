-- Claiming and recording sends. Called by the send role of the worker. The outbox is looked at by lists of keys and along its indexes: it is
-- empty when it is analysed, and a plan for that would read all of it for each message. Where plans are forced to be made once a session, making
-- them anew for each call would cost as much as ten messages.
-- Must stay true: claim and intent are one commit, so a row handed out once is never handed out again unless Meta itself refused it;
-- private.send_refusal is asked again at this moment; messages of one conversation leave in order.

create or replace function private.fail_messages(p_failures jsonb)
returns void
language plpgsql volatile
set search_path = ''
-- By keys, as private.make_campaign_messages.
set enable_seqscan = off
set enable_hashjoin = off
set enable_mergejoin = off
as $$
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
        delete from private.outbox o
        where o.message_id = any (array(select f.message_id from jsonb_to_recordset(p_failures) as f (message_id uuid)))
    )
    select jsonb_agg(to_jsonb(c)) into v_changed from changed c;
    if v_changed is null then
        return;
    end if;
    perform private.settle_ledger(array(select c.id from jsonb_to_recordset(v_changed) as c (id uuid)));
    perform private.broadcast_outcomes(v_changed);
    perform private.broadcast_conversations(c.org_id, array_agg(distinct c.conversation_id))
    from jsonb_to_recordset(v_changed) as c (org_id uuid, conversation_id uuid)
    join public.conversations v on v.id = c.conversation_id and not v.is_quiet group by c.org_id;
end
$$;

-- p_changed: [{id, conversation_id}]. Nobody looks at a thread that only carries campaign messages, and a campaign has a hundred thousand.
create or replace function private.broadcast_outcomes(p_changed jsonb)
returns void
language plpgsql volatile
set search_path = ''
as $$
begin
    perform private.broadcast_messages(c.conversation_id, array_agg(c.id))
    from jsonb_to_recordset(p_changed) as c (id uuid, conversation_id uuid)
    join public.conversations v on v.id = c.conversation_id and not v.is_quiet
    group by c.conversation_id;
end
$$;

create or replace function private.fail_outbox(p_account_id uuid, p_code text)
returns void
language plpgsql volatile
set search_path = ''
as $$
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

-- The next messages of a number, locked, with why each must not be sent; null: it may. Calls nothing that has queries of its own: the settings
-- would hold for those too, and without sorts they would walk through whole tables.
create or replace function private.lock_next_sends(p_account_id uuid, p_limit integer, p_most_lane integer, p_now timestamptz)
returns table (message_id uuid, refusal text)
language plpgsql volatile
set search_path = ''
set plan_cache_mode = force_generic_plan
set enable_sort = off
set enable_seqscan = off
set enable_bitmapscan = off
set enable_hashjoin = off
set enable_mergejoin = off
as $$
begin
    return query
    select o.message_id, private.send_refusal(a.status, a.quality_rating, p.deleted_at is not null, p.opt_in_status,
        c.window_expires_at, m.type, t.status, t.category, m.campaign_id is not null, p_now)
    from private.outbox o
    join public.whatsapp_accounts a on a.id = o.whatsapp_account_id
    join public.messages m on m.id = o.message_id
    join public.conversations c on c.id = o.conversation_id
    join public.contacts p on p.org_id = c.org_id and p.id = c.contact_id
    left join public.templates t on t.id = m.template_id and t.waba_id = a.waba_id and t.deleted_at is null
    left join public.campaigns k on k.id = m.campaign_id
    -- A number that is not connected for the moment keeps what waits.
    where o.whatsapp_account_id = p_account_id and a.status = 'connected' and o.state = 'ready' and o.ready_at <= clock_timestamp()
        and coalesce(a.paused_until <= clock_timestamp(), true) and o.lane <= p_most_lane
        -- Of a campaign that was paused or cancelled at this moment nothing more leaves.
        and (m.campaign_id is null or k.status = 'sending')
        -- Only the head of a conversation: Meta does not keep order, we do. A reply is no part of a campaign that comes before it.
        and not exists (select from private.outbox e
            where e.conversation_id = o.conversation_id and e.seq < o.seq and e.lane <= o.lane and e.state <> 'uncertain' offset 0)
    order by o.lane, o.seq limit p_limit
    -- A claim waits for nobody: whoever settles messages takes them before their outbox rows, the other way round.
    for update of o skip locked;
end
$$;

create or replace function worker.claim_sends(p_holder uuid, p_account_id uuid, p_limit integer, p_most_lane integer default 2)
returns table (message_id uuid, send_try integer, attempt integer, recipient_phone text, recipient_bsuid text, type text, body text,
    payload jsonb, reply_to text, queued_at timestamptz, lane integer)
language plpgsql volatile security definer
set search_path = ''
as $$
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
    select array_agg(c.message_id) filter (where c.refusal is null),
        jsonb_agg(jsonb_build_object('message_id', c.message_id, 'error_code', c.refusal)) filter (where c.refusal is not null)
    into v_claimed, v_refused from private.lock_next_sends(p_account_id, p_limit, p_most_lane, private.clock()) c;
    update private.outbox o set state = 'sending', holder = p_holder, intent_at = clock_timestamp(), attempt = o.attempt + 1
    where o.message_id = any (v_claimed);
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
        coalesce('+' || p.wa_id, p.phone), p.bsuid, m.type, m.body, m.payload, m.reply_to_wa_message_id, m.created_at, o.lane::integer
    from private.outbox o
    join public.messages m on m.id = o.message_id
    join public.contacts p on p.org_id = m.org_id and p.id = m.contact_id
    where o.message_id = any (v_claimed) order by o.lane, o.seq;
end
$$;
comment on function worker.claim_sends(uuid, uuid, integer, integer) is
    'Hands out messages and records the intent in the same commit, of lanes up to p_most_lane. Refused ones are failed with their code and not returned.';

create or replace function worker.record_sends(p_results jsonb)
returns void
language plpgsql volatile security definer
set search_path = ''
set plan_cache_mode = force_generic_plan
set enable_seqscan = off
set enable_hashjoin = off
set enable_mergejoin = off
as $$
declare
    v_accepted jsonb;
    v_others uuid[];
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
        delete from private.outbox o where o.message_id = any (array(select a.id from accepted a))
    )
    select jsonb_agg(to_jsonb(a)) into v_accepted from accepted a;

    v_others := array(select r.message_id from jsonb_to_recordset(p_results) as r (message_id uuid, outcome text) where r.outcome <> 'accepted');
    if cardinality(v_others) > 0 then
        with uncertain as (
            update private.outbox o set state = 'uncertain'
            from jsonb_to_recordset(p_results) as r (message_id uuid, send_try integer, attempt integer, outcome text)
            join public.messages m on m.id = r.message_id and m.send_try = r.send_try
            where r.outcome = 'uncertain' and o.message_id = any (v_others) and o.message_id = r.message_id and o.attempt = r.attempt and o.state = 'sending'
            returning o.message_id
        ), requeued as (
            update private.outbox o set state = 'ready', holder = null, intent_at = null,
                ready_at = clock_timestamp() + make_interval(secs => r.retry_seconds)
            from jsonb_to_recordset(p_results) as r (message_id uuid, send_try integer, attempt integer, outcome text, retry_seconds double precision)
            join public.messages m on m.id = r.message_id and m.send_try = r.send_try
            where r.outcome = 'retry' and o.message_id = any (v_others) and o.message_id = r.message_id and o.attempt = r.attempt and o.state in ('sending', 'uncertain')
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
        where r.outcome = 'failed' and o.message_id = any (v_others);
        if v_failures is not null then
            perform private.fail_messages(v_failures);
        end if;
    end if;

    v_changed := coalesce(v_accepted, '[]') || coalesce(v_changed, '[]');
    perform private.settle_ledger(array(select c.id from jsonb_to_recordset(v_changed) as c (id uuid)));
    if v_accepted is not null then
        perform private.use_tier(array(select a.id from jsonb_to_recordset(v_accepted) as a (id uuid)));
        perform private.settle_parked_statuses(v_accepted);
    end if;
    perform private.broadcast_outcomes(v_changed);
end
$$;
comment on function worker.record_sends(jsonb) is
    '[{message_id, send_try, attempt, outcome accepted|failed|retry|uncertain, wa_message_id?, error_code?, error_message?, retry_seconds?}].';

-- p_accepted: [{id, wa_message_id}] just recorded; their statuses may have come first.
create or replace function private.settle_parked_statuses(p_accepted jsonb)
returns void
language plpgsql volatile
set search_path = ''
as $$
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

create or replace function worker.pause_number(p_account_id uuid, p_seconds double precision)
returns void
language sql volatile security definer
set search_path = ''
as $$
    update public.whatsapp_accounts set paused_until = greatest(paused_until, clock_timestamp() + make_interval(secs => p_seconds))
    where id = p_account_id
$$;

create or replace function worker.suspend_number(p_account_id uuid, p_reason text, p_credential_id uuid)
returns void
language plpgsql volatile security definer
set search_path = ''
as $$
declare
    v_org_id uuid;
begin
    -- The token or the account needs a person. What waits stays in the outbox until the number is connected again.
    update public.whatsapp_accounts set status = 'error', status_reason = left(p_reason, 500), updated_at = now()
    where id = p_account_id and status = 'connected'
        -- A token that was replaced meanwhile may be refused; the new one has been proven.
        and exists (select from private.whatsapp_credentials c where c.whatsapp_account_id = p_account_id and c.secret_id = p_credential_id)
    returning org_id into v_org_id;
    if v_org_id is null then
        return;
    end if;
    perform private.notify_members(v_org_id, private.members_with(v_org_id, 'settings.manage'), 'whatsapp_account.error', 'high',
        jsonb_build_object('whatsapp_account_id', p_account_id));
    perform private.broadcast('org:' || v_org_id, 'account', jsonb_build_object('whatsapp_account_id', p_account_id));
end
$$;
