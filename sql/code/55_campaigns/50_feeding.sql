-- Recipients become messages, a second's worth of their number at a time. Called by the campaigns role of the worker, every 100 ms.
-- Must stay true: message, outbox row and ledger change in one commit, so that a recipient is made a message of exactly once; one feeder a
-- number; locks as everywhere: campaign, contacts, conversations, messages, outbox, and the ledger's rows last; what is locked is left for the
-- next call; may-send is asked here, and by the claim again.

-- Why nothing of the campaign may be handed over at the moment.
create or replace function private.reason_to_wait(p_campaign public.campaigns, p_account public.whatsapp_accounts, p_now timestamptz)
returns table (reason text, until timestamptz)
language plpgsql stable
set search_path = ''
as $$
begin
    if p_account.status <> 'connected' then
        reason := 'account';
    elsif p_account.quality_rating = 'RED' then
        reason := 'quality';
    elsif p_campaign.quiet_hours is not null then
        until := private.quiet_until(p_campaign.quiet_hours, private.campaign_zone(p_campaign), p_now);
        reason := case when until is not null then 'quiet_hours' end;
    end if;
    return next;
end
$$;

create or replace function private.campaign_zone(p_campaign public.campaigns)
returns text
language sql stable
set search_path = ''
as $$ select coalesce(p_campaign.time_zone, (select o.time_zone from public.organizations o where o.id = p_campaign.org_id)) $$;

-- Says so where people look, once, and takes back what is not claimed yet.
create or replace function private.hold_campaign(p_campaign public.campaigns, p_reason text, p_until timestamptz)
returns void
language plpgsql volatile
set search_path = ''
as $$
begin
    if p_campaign.waiting_for is not distinct from p_reason and p_campaign.resumes_at is not distinct from p_until then
        return;
    end if;
    update public.campaigns c set waiting_for = p_reason, resumes_at = p_until where c.id = p_campaign.id;
    if p_reason in ('account', 'quality', 'quiet_hours') then
        perform private.take_back(p_campaign);
    end if;
    perform private.broadcast_campaigns(p_campaign.org_id, array[p_campaign.id]);
end
$$;

-- Those of the queue whose turn it is: first who has a variant, and once the test is decided the rest.
create or replace function private.due_recipients(p_campaign public.campaigns, p_now timestamptz, p_limit integer)
returns uuid[]
language plpgsql stable
set search_path = ''
-- Along the index in its order and no further than the limit, whatever the planner believes of a campaign that was launched a moment ago.
set enable_sort = off
set enable_bitmapscan = off
set enable_seqscan = off
as $$
declare
    v_ids uuid[];
begin
    v_ids := array(
        select r.contact_id from public.campaign_recipients r
        where r.campaign_id = p_campaign.id and (case when r.variant is null then 1 else 0 end) = 0 and r.ready_at <= p_now
        order by r.ready_at, r.position limit p_limit);
    if p_campaign.winner is not null and cardinality(v_ids) < p_limit then
        v_ids := v_ids || array(
            select r.contact_id from public.campaign_recipients r
            where r.campaign_id = p_campaign.id and (case when r.variant is null then 1 else 0 end) = 1 and r.ready_at <= p_now
            order by r.ready_at, r.position limit p_limit - cardinality(v_ids));
    end if;
    return v_ids;
end
$$;

-- The contacts of p_contact_ids that are nobody else's at the moment, locked.
create or replace function private.free_contacts(p_org_id uuid, p_contact_ids uuid[])
returns uuid[]
language sql volatile
set search_path = ''
as $$
    select coalesce(array_agg(x.id), '{}') from (
        select c.id from public.contacts c
        where c.org_id = p_org_id and c.id = any (p_contact_ids) order by c.id for no key update skip locked
    ) x
$$;

-- Makes the messages of these recipients, whose contacts are locked. p_capacity: people that the messaging limit still allows, null for any
-- number. Gives how many messages were made, and how many recipients wait because of the limit.
create or replace function private.make_campaign_messages(
    p_campaign public.campaigns, p_contact_ids uuid[], p_portfolio text, p_capacity integer, p_now timestamptz,
    out made integer, out over_tier integer
)
language plpgsql volatile
set search_path = ''
-- One by one by their keys. A plan that was made when a table was empty, or with what the planner believes of a campaign that was launched a
-- moment ago, would read whole tables for every batch until the next autoanalyze.
set enable_seqscan = off
set enable_hashjoin = off
set enable_mergejoin = off
as $$
declare
    v_moved integer;
begin
    with variants as materialized (
        select v.position, v.template_id, v.variables, v.links, private.template_shape(t) as template
        from public.campaign_variants v join public.templates t on t.id = v.template_id
        where v.campaign_id = p_campaign.id
    ), capped as materialized (
        select k from private.capped_contacts(p_campaign.org_id, p_contact_ids, p_now) k where p_campaign.is_marketing
    ), people as materialized (
        select r.contact_id, r.position, coalesce(r.variant, p_campaign.winner) as variant,
            coalesce(k.id, octopush.uuid_v7()) as conversation_id, k.id is null as is_first,
            coalesce(private.exclusion_reason(c.deleted_at, c.wa_id, c.phone, c.bsuid, c.not_on_whatsapp_at, c.marketing_stopped_at, c.opt_in_status,
                p_campaign.is_marketing), case when c.id in (select x.k from capped x) then 'frequency_cap' end) as reason,
            p_capacity is not null and coalesce(k.window_expires_at <= p_now, true) and coalesce(u.used_at <= p_now - interval '24 hours', true) as uses_tier,
            jsonb_build_object('full_name', c.full_name, 'phone', c.phone, 'email', c.email, 'company', c.company, 'job_title', c.job_title,
                'username', c.username, 'birthday', c.birthday, 'address', c.address, 'custom_fields', c.custom_fields) as contact
        from unnest(p_contact_ids) i (id)
        cross join lateral (
            select x.contact_id, x.position, x.variant from public.campaign_recipients x
            where x.campaign_id = p_campaign.id and x.org_id = p_campaign.org_id and x.contact_id = i.id and x.status = 'waiting' offset 0
        ) r
        join public.contacts c on c.id = r.contact_id
        left join public.conversations k on k.whatsapp_account_id = p_campaign.whatsapp_account_id and k.contact_id = r.contact_id
        left join private.portfolio_users u on u.portfolio = p_portfolio and u.contact_id = r.contact_id and p_capacity is not null
    ), placed as materialized (
        select p.*, count(*) filter (where p.uses_tier and p.reason is null) over (order by p.position) as place from people p
    ), chosen as materialized (
        select p.*, octopush.uuid_v7() as message_id from placed p
        where p.reason is null and (not p.uses_tier or p.place <= p_capacity)
        order by p.position
    ), tokens as materialized (
        select jsonb_object_agg(l.contact_id, l.links) as of_contacts from (
            select k.contact_id, jsonb_object_agg(k.button, k.token) as links
            from private.make_links((
                select jsonb_agg(jsonb_build_object('campaign_id', p_campaign.id, 'contact_id', c.contact_id, 'org_id', p_campaign.org_id,
                    'variant', c.variant, 'message_id', c.message_id, 'button', l.key::integer, 'destination', l.value))
                from chosen c join variants v on v.position = c.variant cross join jsonb_each_text(v.links) l)) k
            group by k.contact_id
        ) l
    ), written as materialized (
        select c.contact_id, c.position, c.variant, c.conversation_id, c.is_first, c.message_id, v.template_id,
            octopush.template_message(v.template, octopush.campaign_values(v.variables, c.contact),
                (select t.of_contacts -> c.contact_id::text from tokens t)) as content
        from chosen c join variants v on v.position = c.variant
    ), threads as (
        -- Out of the lists until the person writes (design §7). Whoever makes the same thread at this moment makes this call fail, and the next
        -- one finds it.
        insert into public.conversations (id, org_id, whatsapp_account_id, contact_id, status, is_quiet)
        select w.conversation_id, p_campaign.org_id, p_campaign.whatsapp_account_id, w.contact_id, 'expired', true
        from written w where w.is_first and w.content ? 'message'
    ), ready as materialized (
        select w.contact_id, w.position, w.variant, w.conversation_id, w.message_id, w.template_id, w.content
        from written w where w.content ? 'message'
    ), messages as (
        insert into public.messages (id, org_id, conversation_id, whatsapp_account_id, contact_id, direction, type, body, payload, status,
            template_id, campaign_id)
        select r.message_id, p_campaign.org_id, r.conversation_id, p_campaign.whatsapp_account_id, r.contact_id, 'outbound', 'template',
            left(r.content ->> 'body', 10000), jsonb_build_object('template', r.content -> 'message'), 'pending', r.template_id, p_campaign.id
        from ready r order by r.message_id
    ), outbox as (
        insert into private.outbox (message_id, org_id, whatsapp_account_id, conversation_id, lane)
        select r.message_id, p_campaign.org_id, p_campaign.whatsapp_account_id, r.conversation_id, 2 from ready r order by r.position
        returning message_id
    ), moved as (
        update public.campaign_recipients r set
            status = case when x.message_id is null then 'excluded' else 'queued' end, exclusion_reason = x.reason, variant = x.variant,
            message_id = coalesce(x.message_id, r.message_id), ready_at = null,
            attempts = r.attempts + case when x.message_id is null then 0 else 1 end,
            queued_at = case when x.message_id is null then r.queued_at else p_now end,
            error_code = null, error_message = null
        from (
            select y.contact_id, y.variant, y.message_id, null::text as reason from ready y
            union all
            select p.contact_id, p.variant, null, p.reason from placed p where p.reason is not null
            union all
            select w.contact_id, w.variant, null, 'missing_value' from written w where w.content ? 'problems'
        ) x
        where r.campaign_id = p_campaign.id and r.org_id = p_campaign.org_id and r.contact_id = x.contact_id and r.status = 'waiting'
        returning r.status
    )
    select (select count(*)::integer from outbox), (select count(*)::integer from moved m where m.status = 'queued'),
        (select count(*)::integer from placed p where p.reason is null and p.uses_tier and p.place > p_capacity)
    into made, v_moved, over_tier;
    if made <> v_moved then
        raise exception 'campaign % made % messages for % recipients', p_campaign.id, made, v_moved using errcode = 'serialization_failure';
    end if;
end
$$;

-- One campaign's share of what its number may take now. The caller holds the campaign and is the number's only feeder.
create or replace function private.feed_campaign(p_campaign public.campaigns, p_account public.whatsapp_accounts, p_limit integer, p_now timestamptz)
returns integer
language plpgsql volatile
set search_path = ''
as $$
declare
    v_wait record;
    v_tier record;
    v_capacity integer;
    v_ids uuid[];
    v_fed record;
begin
    select w.* into v_wait from private.reason_to_wait(p_campaign, p_account, p_now) w;
    if v_wait.reason is not null then
        perform private.hold_campaign(p_campaign, v_wait.reason, v_wait.until);
        return 0;
    end if;
    if exists (
        select from public.campaign_variants v join public.templates t on t.id = v.template_id
        where v.campaign_id = p_campaign.id and (p_campaign.winner is null or v.position = p_campaign.winner)
            and (t.status <> 'approved' or t.deleted_at is not null or t.waba_id <> p_account.waba_id))
    then
        perform private.pause(p_campaign, 'WA_002');
        return 0;
    end if;
    if p_limit <= 0 or (p_campaign.waiting_for = 'tier' and p_campaign.resumes_at > p_now) then
        return 0;
    end if;
    v_ids := private.due_recipients(p_campaign, p_now, p_limit);
    if cardinality(v_ids) = 0 then
        if p_campaign.waiting_for in ('account', 'quality', 'quiet_hours', 'tier') then
            perform private.hold_campaign(p_campaign, null, null);
        end if;
        return 0;
    end if;
    select t.* into v_tier from private.tier_state(p_campaign.whatsapp_account_id, p_now) t;
    v_capacity := case when v_tier.tier_limit is not null then greatest(v_tier.tier_limit - v_tier.used - v_tier.in_flight, 0) end;
    select m.* into v_fed
    from private.make_campaign_messages(p_campaign, private.free_contacts(p_campaign.org_id, v_ids), v_tier.portfolio, v_capacity, p_now) m;
    if v_fed.over_tier > 0 then
        -- What is in flight frees up sooner if Meta refuses it.
        perform private.hold_campaign(p_campaign, 'tier', case when v_tier.in_flight = 0 then v_tier.frees_at else p_now + interval '5 seconds' end);
    else
        perform private.hold_campaign(p_campaign, null, null);
    end if;
    return v_fed.made;
end
$$;

create or replace function private.feed_number(p_account public.whatsapp_accounts, p_limit integer)
returns integer
language plpgsql volatile
set search_path = ''
as $$
declare
    v_now timestamptz := private.clock();
    v_campaign public.campaigns;
    v_ids uuid[];
    v_left integer;
    v_room integer;
    v_made integer := 0;
begin
    -- A second's worth at most waits in the outbox, so that a pause finds little there.
    select least(p_limit, p_account.messages_per_second - count(*)::integer) into v_room
    from (select from private.outbox o where o.whatsapp_account_id = p_account.id and o.lane = 2 and o.state = 'ready' limit p_account.messages_per_second) x;
    v_ids := array(
        select c.id from public.campaigns c
        where c.whatsapp_account_id = p_account.id and c.status = 'sending' order by c.started_at, c.id);
    v_left := cardinality(v_ids);
    for i in 1..v_left loop
        select c.* into v_campaign from public.campaigns c where c.id = v_ids[i] and c.status = 'sending' for no key update skip locked;
        if found then
            -- Equal shares; what the first do not need the later ones get.
            v_made := v_made + private.feed_campaign(v_campaign, p_account, (v_room - v_made + v_left - i) / (v_left - i + 1), v_now);
        end if;
    end loop;
    return v_made;
end
$$;

create or replace function worker.feed_campaigns(p_limit_per_number integer)
returns table (whatsapp_account_id uuid, queued integer)
language plpgsql volatile security definer
set search_path = ''
-- Locks of several campaigns of a number are taken one campaign after the other, and "skip locked" may still wait for a row that is being
-- changed: of two that wait for each other the feeder gives way, long before the server would choose (deadlock_timeout).
set lock_timeout = '200ms'
-- Made once a session and by keys (private.make_campaign_messages): planning anew for each piece costs as much as fifty messages.
set plan_cache_mode = force_generic_plan
as $$
#variable_conflict use_column
declare
    v_account public.whatsapp_accounts;
    v_total integer := 0;
begin
    for v_account in
        select a.* from public.whatsapp_accounts a
        where exists (select from public.campaigns c where c.whatsapp_account_id = a.id and c.status = 'sending') order by a.id
    loop
        whatsapp_account_id := v_account.id;
        queued := 0;
        if pg_catalog.pg_try_advisory_xact_lock(pg_catalog.hashtextextended('octopush feeds ' || v_account.id, 0)) then
            -- The fault of one number, or a thread that somebody else made at this moment, must not stop the others.
            begin
                queued := private.feed_number(v_account, p_limit_per_number);
            exception when others then
                queued := 0;
                raise warning 'feeding number %: error %', v_account.id, sqlstate;
            end;
        end if;
        v_total := v_total + queued;
        return next;
    end loop;
    if v_total > 0 then
        perform pg_catalog.pg_notify('octopush_send', '');
    end if;
end
$$;
comment on function worker.feed_campaigns(integer) is
    'Fills the outbox of every number that has a campaign sending, up to a second''s worth of its rate; one row a number, 0 when there was nothing to add or another worker is at it.';
