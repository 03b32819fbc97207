-- From draft to completed: launching, scheduling, pausing, resuming, cancelling, trying again. Called by the web UI, and worker.start_due_campaigns
-- by the campaigns role. docs/state-machines.md has the picture.
-- Must stay true: a campaign's audience is taken once, in the transaction that makes it sending; what a pause or cancellation finds in the
-- outbox is taken back before it returns; every function here holds the campaign's row first, before any message.

-- A rehearsal that was rolled back makes autoanalyze believe that a ledger is empty; plans made then would read all of a big one.
create or replace function private.analyze_ledger(p_rows bigint)
returns void
language plpgsql volatile
set search_path = ''
as $$
begin
    if p_rows >= 1000 and (select k.reltuples < 10 * p_rows from pg_catalog.pg_class k where k.oid = 'public.campaign_recipients'::regclass) then
        analyze public.campaign_recipients;
    end if;
end
$$;

-- Makes it sending, with its audience. Errors: CAMPAIGN_002.
create or replace function private.start_campaign(p_campaign public.campaigns, p_now timestamptz)
returns public.campaigns
language plpgsql volatile
set search_path = ''
as $$
declare
    v_campaign public.campaigns;
begin
    update public.campaigns c set
        status = 'sending', status_reason = null, waiting_for = null, resumes_at = null, winner = null, tested_at = null,
        launched_at = p_now, started_at = p_now, updated_at = clock_timestamp(),
        is_marketing = exists (
            select from public.campaign_variants v join public.templates t on t.id = v.template_id
            where v.campaign_id = c.id and t.category = 'marketing')
    where c.id = p_campaign.id returning c.* into v_campaign;
    perform private.snapshot_audience(v_campaign, p_now);
    perform private.fold_campaigns(array[v_campaign.id]);
    if not exists (select from public.campaign_recipients r where r.campaign_id = v_campaign.id and r.ready_at is not null) then
        perform private.raise_error('CAMPAIGN_002', private.stats_of(v_campaign.id));
    end if;
    update public.campaigns c set planned_cost = private.planned_cost(v_campaign) where c.id = v_campaign.id returning c.* into v_campaign;
    return v_campaign;
end
$$;

create or replace function private.tell_of_campaign(p_campaign public.campaigns, p_kind text, p_actor uuid)
returns void
language plpgsql volatile
set search_path = ''
as $$
begin
    perform private.record_activity(p_campaign.org_id, p_kind, p_actor,
        p_data => jsonb_build_object('campaign_id', p_campaign.id, 'name', p_campaign.name) || case
            when p_campaign.status_reason is null then '{}' else jsonb_build_object('reason', p_campaign.status_reason) end);
    perform private.broadcast_campaigns(p_campaign.org_id, array[p_campaign.id]);
end
$$;

create or replace function private.notify_of_campaign(p_campaign public.campaigns, p_kind text, p_priority text)
returns void
language plpgsql volatile
set search_path = ''
as $$
begin
    perform private.notify_members(p_campaign.org_id, private.members_with(p_campaign.org_id, 'campaigns.manage'), p_kind, p_priority,
        jsonb_build_object('campaign_id', p_campaign.id, 'name', p_campaign.name) || case
            when p_campaign.status_reason is null then '{}' else jsonb_build_object('reason', p_campaign.status_reason) end);
end
$$;

create or replace function private.refuse_campaign_state(p_campaign public.campaigns)
returns void
language plpgsql stable
set search_path = ''
as $$
begin
    perform private.raise_error('CAMPAIGN_005', jsonb_build_object('status', p_campaign.status));
end
$$;

-- Takes what no sender has claimed out of the outbox: those recipients wait again, as if nothing had been made. Messages before the outbox, as
-- everywhere; one that is claimed meanwhile is on its way. One that was uncertain before goes back to being that: it may have arrived.
create or replace function private.take_back(p_campaign public.campaigns)
returns void
language plpgsql volatile
set search_path = ''
as $$
declare
    v_message_ids uuid[];
    v_gone uuid[];
begin
    v_message_ids := array(
        select x.id from (
            select m.id from private.outbox o join public.messages m on m.id = o.message_id
            where o.whatsapp_account_id = p_campaign.whatsapp_account_id and o.lane = 2 and o.state = 'ready' and m.campaign_id = p_campaign.id
            order by m.id for no key update of m
        ) x);
    if cardinality(v_message_ids) = 0 then
        return;
    end if;
    with doubted as (
        update private.outbox o set state = 'uncertain', intent_at = clock_timestamp()
        from public.messages m
        where o.message_id = any (v_message_ids) and o.state = 'ready' and m.id = o.message_id and m.send_try > 0
        returning o.message_id
    )
    update public.messages m set is_uncertain = true, error_code = 'WA_008' from doubted d where m.id = d.message_id;
    with gone as (
        delete from private.outbox o where o.message_id = any (v_message_ids) and o.state = 'ready' returning o.message_id
    )
    select coalesce(array_agg(g.message_id), '{}') into v_gone from gone g;
    with removed as (
        delete from public.messages m where m.id = any (v_gone) returning m.id, m.org_id, m.contact_id
    ), uncounted as (
        -- They were counted as sent when they were made (30_contacts/25_counters.sql).
        insert into private.sent_messages (org_id, contact_id, sent, last_at)
        select r.org_id, r.contact_id, -1, '-infinity' from removed r
    )
    update public.campaign_recipients r set
        status = 'waiting', ready_at = private.clock(), message_id = null, queued_at = null, attempts = r.attempts - 1
    from removed x
    where r.campaign_id = p_campaign.id and r.org_id = p_campaign.org_id and r.contact_id = x.contact_id and r.message_id = x.id;
    perform private.settle_ledger(v_message_ids);
end
$$;

create or replace function public.launch_campaign(p_id uuid, p_expected_updated_at timestamptz default null)
returns public.campaigns
language plpgsql volatile security definer
set search_path = ''
as $$
declare
    v_campaign public.campaigns := private.campaign_to_change(p_id);
    v_now timestamptz := private.clock();
begin
    if v_campaign.status not in ('draft', 'scheduled') then
        perform private.refuse_campaign_state(v_campaign);
    end if;
    -- Who sends has seen what will be sent. Null: whatever it is now.
    perform private.require_version(v_campaign, coalesce(p_expected_updated_at, v_campaign.updated_at));
    perform private.require_complete(v_campaign);
    if private.is_small_organization(v_campaign.org_id) then
        v_campaign := private.start_campaign(v_campaign, v_now);
        perform private.analyze_ledger((private.stats_of(p_id) ->> 'total')::bigint);
        perform private.tell_of_campaign(v_campaign, 'campaign.started', (select auth.uid()));
    else
        -- Longer than a request may take: the worker takes the audience, within a second or two.
        update public.campaigns c set status = 'scheduled', scheduled_at = v_now, updated_at = clock_timestamp()
        where c.id = p_id returning c.* into v_campaign;
        perform private.tell_of_campaign(v_campaign, 'campaign.scheduled', (select auth.uid()));
    end if;
    perform pg_catalog.pg_notify('octopush_campaigns', '');
    return v_campaign;
end
$$;
comment on function public.launch_campaign(uuid, timestamptz) is
    'Draft or scheduled → sending; of organisations with more than 200,000 contacts it is scheduled for this moment. Errors: AUTH_003, CAMPAIGN_001, CAMPAIGN_002, CAMPAIGN_004–007.';

create or replace function public.schedule_campaign(p_id uuid, p_at timestamptz, p_expected_updated_at timestamptz default null)
returns public.campaigns
language plpgsql volatile security definer
set search_path = ''
as $$
declare
    v_campaign public.campaigns := private.campaign_to_change(p_id);
begin
    if v_campaign.status not in ('draft', 'scheduled') then
        perform private.refuse_campaign_state(v_campaign);
    end if;
    -- Who sends has seen what will be sent. Null: whatever it is now.
    perform private.require_version(v_campaign, coalesce(p_expected_updated_at, v_campaign.updated_at));
    if p_at is null or p_at <= private.clock() then
        perform private.raise_error('CAMPAIGN_008');
    end if;
    perform private.require_complete(v_campaign);
    update public.campaigns c set status = 'scheduled', status_reason = null, scheduled_at = p_at, updated_at = clock_timestamp()
    where c.id = p_id returning c.* into v_campaign;
    perform private.tell_of_campaign(v_campaign, 'campaign.scheduled', (select auth.uid()));
    return v_campaign;
end
$$;
comment on function public.schedule_campaign(uuid, timestamptz, timestamptz) is
    'Draft or scheduled → scheduled; its audience is taken at that time. Errors: AUTH_003, CAMPAIGN_001, CAMPAIGN_004–008.';

create or replace function public.unschedule_campaign(p_id uuid)
returns public.campaigns
language plpgsql volatile security definer
set search_path = ''
as $$
declare
    v_campaign public.campaigns := private.campaign_to_change(p_id);
begin
    if v_campaign.status <> 'scheduled' then
        perform private.refuse_campaign_state(v_campaign);
    end if;
    update public.campaigns c set status = 'draft', updated_at = clock_timestamp() where c.id = p_id returning c.* into v_campaign;
    perform private.tell_of_campaign(v_campaign, 'campaign.unscheduled', (select auth.uid()));
    return v_campaign;
end
$$;
comment on function public.unschedule_campaign(uuid) is 'Scheduled → draft. Errors: AUTH_003, CAMPAIGN_001, CAMPAIGN_005.';

-- By a person, or by itself with a reason. The caller holds the campaign.
create or replace function private.pause(p_campaign public.campaigns, p_reason text)
returns public.campaigns
language plpgsql volatile
set search_path = ''
as $$
declare
    v_campaign public.campaigns;
begin
    update public.campaigns c set status = 'paused', status_reason = p_reason, waiting_for = null, resumes_at = null, updated_at = clock_timestamp()
    where c.id = p_campaign.id returning c.* into v_campaign;
    perform private.take_back(v_campaign);
    perform private.tell_of_campaign(v_campaign, 'campaign.paused', (select auth.uid()));
    if p_reason is not null then
        perform private.notify_of_campaign(v_campaign, 'campaign.paused', 'high');
    end if;
    return v_campaign;
end
$$;

create or replace function public.pause_campaign(p_id uuid)
returns public.campaigns
language plpgsql volatile security definer
set search_path = ''
as $$
declare
    v_campaign public.campaigns := private.campaign_to_change(p_id);
begin
    if v_campaign.status <> 'sending' then
        perform private.refuse_campaign_state(v_campaign);
    end if;
    return private.pause(v_campaign, null);
end
$$;
comment on function public.pause_campaign(uuid) is
    'Sending → paused, at once: only what is on its way to Meta at this moment still arrives. Errors: AUTH_003, CAMPAIGN_001, CAMPAIGN_005.';

create or replace function public.resume_campaign(p_id uuid)
returns public.campaigns
language plpgsql volatile security definer
set search_path = ''
as $$
declare
    v_campaign public.campaigns := private.campaign_to_change(p_id);
begin
    if v_campaign.status <> 'paused' then
        perform private.refuse_campaign_state(v_campaign);
    end if;
    update public.campaigns c set status = 'sending', status_reason = null, updated_at = clock_timestamp() where c.id = p_id returning c.* into v_campaign;
    perform private.tell_of_campaign(v_campaign, 'campaign.resumed', (select auth.uid()));
    perform pg_catalog.pg_notify('octopush_campaigns', '');
    return v_campaign;
end
$$;
comment on function public.resume_campaign(uuid) is 'Paused → sending. Errors: AUTH_003, CAMPAIGN_001, CAMPAIGN_005.';

create or replace function public.cancel_campaign(p_id uuid)
returns public.campaigns
language plpgsql volatile security definer
set search_path = ''
as $$
declare
    v_campaign public.campaigns := private.campaign_to_change(p_id);
begin
    if v_campaign.status not in ('scheduled', 'sending', 'paused') then
        perform private.refuse_campaign_state(v_campaign);
    end if;
    update public.campaigns c set status = 'cancelled', waiting_for = null, resumes_at = null, finished_at = private.clock(), updated_at = clock_timestamp()
    where c.id = p_id returning c.* into v_campaign;
    perform private.take_back(v_campaign);
    perform private.tell_of_campaign(v_campaign, 'campaign.cancelled', (select auth.uid()));
    return v_campaign;
end
$$;
comment on function public.cancel_campaign(uuid) is
    'Scheduled, sending or paused → cancelled, for good. Whoever still waited gets nothing. Errors: AUTH_003, CAMPAIGN_001, CAMPAIGN_005.';

-- Whether another attempt may help: not for those who must not or cannot be reached, nor for those who may have got it.
create or replace function private.may_be_retried(p_error_code text)
returns boolean
language sql immutable parallel safe
set search_path = ''
as $$
    select coalesce(p_error_code, '') not in ('131050', '131026', '130472', 'WA_008', 'CONTACT_004', 'CONTACT_008', 'CONTACT_010')
$$;

create or replace function public.retry_failed_recipients(p_id uuid)
returns integer
language plpgsql volatile security definer
set search_path = ''
as $$
declare
    v_campaign public.campaigns := private.campaign_to_change(p_id);
    v_problems jsonb;
    v_count integer;
begin
    if v_campaign.status not in ('sending', 'paused', 'completed') then
        perform private.refuse_campaign_state(v_campaign);
    end if;
    -- Once it is over nothing keeps its templates from being edited.
    v_problems := private.campaign_problems(v_campaign);
    if jsonb_path_exists(v_problems, '$[*] ? (@.field starts with "variants")') then
        perform private.raise_error('CAMPAIGN_006', jsonb_build_object('problems', v_problems));
    end if;
    update public.campaign_recipients r set status = 'waiting', ready_at = private.clock(), attempts = 0, failed_at = null, error_code = null, error_message = null
    where r.campaign_id = p_id and r.failed_at is not null and r.status = 'failed'
        and private.may_be_retried(r.error_code);
    get diagnostics v_count = row_count;
    if v_count > 0 then
        update public.campaigns c set status = case when c.status = 'completed' then 'sending' else c.status end, finished_at = null, updated_at = clock_timestamp()
        where c.id = p_id returning c.* into v_campaign;
        perform private.tell_of_campaign(v_campaign, 'campaign.retried', (select auth.uid()));
        perform pg_catalog.pg_notify('octopush_campaigns', '');
    end if;
    return v_count;
end
$$;
comment on function public.retry_failed_recipients(uuid) is
    'Lets those whose message failed wait again, but for people who opted out or are not on WhatsApp; how many. A completed campaign is sending again. Errors: AUTH_003, CAMPAIGN_001, CAMPAIGN_005, CAMPAIGN_006 (its templates have changed).';

-- One at a time: the audience of a large one takes seconds.
create or replace function worker.start_due_campaigns()
returns integer
language plpgsql volatile security definer
set search_path = ''
as $$
declare
    v_campaign public.campaigns;
    v_now timestamptz := private.clock();
    v_message text;
    v_state text;
begin
    select c.* into v_campaign from public.campaigns c
    where c.status = 'scheduled' and c.scheduled_at <= v_now order by c.scheduled_at limit 1 for no key update skip locked;
    if not found then
        return 0;
    end if;
    begin
        perform private.require_complete(v_campaign);
        v_campaign := private.start_campaign(v_campaign, v_now);
        perform private.analyze_ledger((private.stats_of(v_campaign.id) ->> 'total')::bigint);
        perform private.tell_of_campaign(v_campaign, 'campaign.started', v_campaign.created_by);
    exception when others then
        get stacked diagnostics v_message = message_text, v_state = returned_sqlstate;
        -- What is no answer to a person is for the worker's log, and is tried again.
        if v_state <> 'PGRST' then
            raise;
        end if;
        update public.campaigns c set status = 'failed', status_reason = v_message::jsonb ->> 'code', finished_at = v_now, updated_at = clock_timestamp()
        where c.id = v_campaign.id returning c.* into v_campaign;
        perform private.tell_of_campaign(v_campaign, 'campaign.failed', null);
        perform private.notify_of_campaign(v_campaign, 'campaign.failed', 'high');
    end;
    perform pg_catalog.pg_notify('octopush_campaigns', '');
    return 1;
end
$$;
comment on function worker.start_due_campaigns() is 'Starts the scheduled campaign that is due longest, or says failed and why; how many it took: call again until none.';
