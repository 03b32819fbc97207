-- What moves campaigns on besides feeding: effects of refusals on contacts and campaigns, uncertain messages past their deadline, tests that
-- are over, completion, folding and telling. Called by the campaigns role, once a second.
-- Must stay true: contacts first, as everywhere; several workers at once are harmless; a completed campaign has nobody waiting or queued.

-- Refusals that say something about the person (worker.apply_user_preferences says it directly). p_effects: [{org_id, contact_id, kind, code, occurred_at}].
create or replace function private.apply_contact_effects(p_effects jsonb)
returns void
language plpgsql volatile
set search_path = ''
as $$
declare
    v_org record;
begin
    perform c.id from public.contacts c
    where c.id in (select e.contact_id from jsonb_to_recordset(p_effects) as e (contact_id uuid))
    order by c.id for no key update;
    for v_org in
        select c.org_id, array_agg(c.id) as ids, jsonb_agg(jsonb_build_object('contact_id', c.id, 'old', c.opt_in_status, 'new', 'opted_out',
            'source', 'whatsapp', 'evidence', 'Stopped marketing in WhatsApp (' || e.code || ')', 'decided_at', e.occurred_at))
                filter (where e.kind = 'stopped_marketing' and c.opt_in_status <> 'opted_out') as consents
        from (
            select distinct on (x.contact_id, x.kind) x.* from jsonb_to_recordset(p_effects) as x (
                org_id uuid, contact_id uuid, kind text, code text, occurred_at timestamptz)
            order by x.contact_id, x.kind, x.occurred_at
        ) e
        join public.contacts c on c.id = e.contact_id and c.erased_at is null
        group by c.org_id
    loop
        if v_org.consents is not null then
            perform private.record_consents(v_org.org_id, null, v_org.consents);
        end if;
        update public.contacts c set
            opt_in_status = case when e.stopped_at is not null then 'opted_out' else c.opt_in_status end,
            opt_in_source = case when e.stopped_at is not null and c.opt_in_status <> 'opted_out' then 'whatsapp' else c.opt_in_source end,
            marketing_stopped_at = coalesce(c.marketing_stopped_at, e.stopped_at),
            -- One that wrote since is on WhatsApp.
            not_on_whatsapp_at = case when e.missing_at > coalesce(c.last_inbound_at, '-infinity') then e.missing_at else c.not_on_whatsapp_at end,
            updated_at = clock_timestamp()
        from (
            select x.contact_id, max(x.occurred_at) filter (where x.kind = 'stopped_marketing') as stopped_at,
                max(x.occurred_at) filter (where x.kind = 'not_on_whatsapp') as missing_at
            from jsonb_to_recordset(p_effects) as x (contact_id uuid, kind text, occurred_at timestamptz) group by x.contact_id
        ) e
        where c.id = e.contact_id and c.id = any (v_org.ids);
        perform private.broadcast_contacts(v_org.org_id, v_org.ids);
    end loop;
end
$$;

create or replace function private.apply_send_effects(p_limit integer)
returns integer
language plpgsql volatile
set search_path = ''
as $$
declare
    v_effects jsonb;
    v_count integer;
    v_campaign public.campaigns;
    v_code text;
begin
    with taken as (
        delete from private.send_effects e
        where e.id in (select x.id from private.send_effects x where x.kind <> 'replied' order by x.id limit p_limit for update skip locked) returning e.*
    )
    select jsonb_agg(to_jsonb(t)) into v_effects from taken t;
    if v_effects is null then
        return 0;
    end if;
    -- Nobody who holds a campaign waits for a contact, so that contacts may come first.
    perform private.apply_contact_effects((
        select jsonb_agg(e.value) from jsonb_array_elements(v_effects) e where e.value ->> 'contact_id' is not null));
    v_count := jsonb_array_length(v_effects);
    v_effects := jsonb_path_query_array(v_effects, '$[*] ? (@.kind == "pause")');
    for v_campaign in
        select c.* from public.campaigns c
        where c.status in ('sending', 'completed') and (
            c.id in (select e.campaign_id from jsonb_to_recordset(v_effects) as e (campaign_id uuid))
            -- Meta limits the number: everything it sends for campaigns stops until a person has looked.
            or (c.status = 'sending' and c.whatsapp_account_id in (
                select o.whatsapp_account_id from jsonb_to_recordset(v_effects) as e (campaign_id uuid, code text)
                join public.campaigns o on o.id = e.campaign_id where e.code in ('131048', '131064'))))
        order by c.id for no key update
    loop
        select coalesce(min(e.code) filter (where e.campaign_id = v_campaign.id), min(e.code) filter (where e.code in ('131048', '131064'))) into v_code
        from jsonb_to_recordset(v_effects) as e (campaign_id uuid, code text);
        perform private.pause(v_campaign, v_code);
    end loop;
    return v_count;
end
$$;

-- Nothing of it may leave at the moment, and nothing waits in the outbox for that moment to pass.
create or replace function private.is_held(p_campaign public.campaigns)
returns boolean
language sql immutable parallel safe
set search_path = ''
as $$ select p_campaign.status = 'paused' or (p_campaign.status = 'sending' and coalesce(p_campaign.waiting_for in ('quiet_hours', 'quality', 'account'), false)) $$;

-- What was on its way when a campaign was held up or cancelled, and came back because Meta refused it for the moment.
create or replace function private.take_back_latecomers()
returns void
language plpgsql volatile
set search_path = ''
as $$
declare
    v_campaign public.campaigns;
begin
    for v_campaign in
        select c.* from public.campaigns c
        where c.id in (
                select m.campaign_id from private.outbox o join public.messages m on m.id = o.message_id
                where o.lane = 2 and o.state = 'ready' and o.attempt > 0)
            and (c.status <> 'sending' or private.is_held(c))
        order by c.id for no key update skip locked
    loop
        perform private.take_back(v_campaign);
    end loop;
end
$$;

-- Uncertain for longer than the campaign waits: failed for good, or another try, whichever was chosen. Two tries more are enough.
create or replace function private.settle_overdue(p_now timestamptz, p_limit integer)
returns integer
language plpgsql volatile
set search_path = ''
as $$
declare
    v_missed jsonb;
    v_repeated uuid[];
begin
    select jsonb_agg(jsonb_build_object('message_id', x.id, 'error_code', 'WA_008')) filter (where not x.repeats),
        array_agg(x.id) filter (where x.repeats)
    into v_missed, v_repeated
    from (
        select m.id, c.uncertain_policy = 'repeat' and c.status = 'sending' and m.send_try < 2 as repeats
        from private.outbox o
        join public.messages m on m.id = o.message_id
        join public.campaigns c on c.id = m.campaign_id
        where o.state = 'uncertain' and o.intent_at <= p_now - make_interval(hours => c.uncertain_hours)
            -- One that is held up repeats when it goes on.
            and not (c.uncertain_policy = 'repeat' and private.is_held(c))
        order by m.id limit p_limit for no key update of m skip locked
    ) x;
    if v_repeated is not null then
        -- A new try: what is still heard of the old one no longer concerns this message.
        with again as (
            update private.outbox o set state = 'ready', holder = null, intent_at = null, ready_at = clock_timestamp()
            where o.message_id = any (v_repeated) and o.state = 'uncertain' returning o.message_id
        )
        update public.messages m set send_try = m.send_try + 1, is_uncertain = false, error_code = null
        from again a where m.id = a.message_id and m.is_uncertain;
        perform private.settle_ledger(v_repeated);
        perform pg_catalog.pg_notify('octopush_send', '');
    end if;
    if v_missed is not null then
        perform private.fail_messages(v_missed);
    end if;
    return coalesce(jsonb_array_length(v_missed), 0) + coalesce(cardinality(v_repeated), 0);
end
$$;

-- Adds up what happened, and says so to whoever looks on, at most once a second a campaign.
create or replace function private.tell_progress()
returns integer
language plpgsql volatile
set search_path = ''
as $$
declare
    v_org record;
    v_folded uuid[];
begin
    v_folded := private.fold_campaigns(array(
        select c.id from public.campaigns c
        where c.id in (select d.campaign_id from private.campaign_deltas d) and not exists (
            select from private.campaign_counts k where k.campaign_id = c.id and k.folded_at > clock_timestamp() - interval '900 milliseconds')));
    for v_org in select c.org_id, array_agg(c.id) as ids from public.campaigns c where c.id = any (v_folded) group by c.org_id loop
        perform private.broadcast_campaigns(v_org.org_id, v_org.ids);
    end loop;
    -- Refused for now after it was completed: somebody waits again.
    update public.campaigns c set status = 'sending', finished_at = null
    where c.id = any (v_folded) and c.status = 'completed' and (select s.waiting > 0 from private.campaign_stats s where s.campaign_id = c.id);
    return cardinality(v_folded);
end
$$;

-- A campaign that is sending and has nobody left to hand over: completed, or waiting for those Meta refused for now.
create or replace function private.finish_campaign(p_campaign public.campaigns, p_now timestamptz)
returns boolean
language plpgsql volatile
set search_path = ''
as $$
declare
    v_campaign public.campaigns;
    v_stats private.campaign_stats;
    v_next timestamptz;
begin
    select s.* into v_stats from private.campaign_stats s where s.campaign_id = p_campaign.id;
    if v_stats.waiting = 0 and v_stats.queued = (case p_campaign.uncertain_policy when 'miss' then v_stats.uncertain else 0 end) then
        update public.campaigns c set status = 'completed', waiting_for = null, resumes_at = null, finished_at = p_now, updated_at = clock_timestamp()
        where c.id = p_campaign.id returning c.* into v_campaign;
        perform private.fold_campaigns(array[v_campaign.id]);
        perform private.tell_of_campaign(v_campaign, 'campaign.completed', null);
        perform private.notify_of_campaign(v_campaign, 'campaign.completed', 'normal');
        return true;
    end if;
    if p_campaign.waiting_for is null then
        select min(r.ready_at) into v_next from public.campaign_recipients r
        where r.campaign_id = p_campaign.id and (case when r.variant is null then 1 else 0 end) = 0 and r.ready_at is not null;
        perform private.hold_campaign(p_campaign, null, case when v_next > p_now then v_next end);
    end if;
    return false;
end
$$;

create or replace function worker.advance_campaigns()
returns integer
language plpgsql volatile security definer
set search_path = ''
as $$
declare
    v_now timestamptz := private.clock();
    v_campaign public.campaigns;
    v_count integer;
begin
    v_count := private.apply_send_effects(1000) + private.settle_overdue(v_now, 1000);
    perform private.take_back_latecomers();
    perform private.tell_progress();
    perform private.fold_portfolios(v_now);
    for v_campaign in
        select c.* from public.campaigns c where c.status = 'sending' order by c.id for no key update skip locked
    loop
        if v_campaign.test is not null and v_campaign.winner is null then
            if private.advance_test(v_campaign, v_now) then
                v_count := v_count + 1;
            end if;
            select c.* into v_campaign from public.campaigns c where c.id = v_campaign.id;
        end if;
        if private.finish_campaign(v_campaign, v_now) then
            v_count := v_count + 1;
        end if;
    end loop;
    -- Last: whoever settles messages waits for rows of the ledger, so nothing is waited for once these are held.
    perform private.apply_replies(5000);
    return v_count;
end
$$;
comment on function worker.advance_campaigns() is 'Does what is due for campaigns that were launched; how much it did.';
