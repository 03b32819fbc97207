-- What a launch would do, by doing it and taking it back. Called by the wizard as people choose an audience and before they send.
-- Must stay true: a rehearsal runs the launch's own code (private.start_campaign, private.snapshot_audience) in a block that is rolled back,
-- so that on the same data both have the same recipients, exclusions and texts; afterwards nothing is left of it.

create or replace function private.excluded_page(p_campaign_id uuid, p_reason text, p_limit integer, p_after uuid)
returns jsonb
language sql stable
set search_path = ''
as $$
    select coalesce(jsonb_agg(jsonb_build_object('contact_id', x.contact_id, 'full_name', c.full_name, 'phone', coalesce(c.phone, '+' || c.wa_id),
        'reason', x.exclusion_reason) order by x.contact_id), '[]')
    from (
        select r.contact_id, r.exclusion_reason from public.campaign_recipients r
        where r.campaign_id = p_campaign_id and r.exclusion_reason is not null and (p_reason is null or r.exclusion_reason = p_reason)
            and (p_after is null or r.contact_id > p_after)
        order by r.contact_id limit least(greatest(coalesce(p_limit, 50), 1), 200)
    ) x
    left join public.contacts c on c.id = x.contact_id
$$;

-- A draft that lacks its template is taken for marketing: nobody is promised a message they may not get.
create or replace function private.try_audience(p_campaign public.campaigns)
returns void
language plpgsql volatile
set search_path = ''
as $$
declare
    v_campaign public.campaigns := p_campaign;
begin
    v_campaign.is_marketing := not exists (select from public.campaign_variants v where v.campaign_id = p_campaign.id and v.template_id is not null)
        or exists (select from public.campaign_variants v join public.templates t on t.id = v.template_id
            where v.campaign_id = p_campaign.id and t.category = 'marketing');
    perform private.snapshot_audience(v_campaign, private.clock());
end
$$;

create or replace function private.tier_answer(p_campaign public.campaigns)
returns jsonb
language sql volatile
set search_path = ''
as $$
    select jsonb_build_object('limit', t.tier_limit, 'used', t.used, 'frees_at', t.frees_at)
    from private.tier_state(p_campaign.whatsapp_account_id, private.clock()) t
$$;

create or replace function public.campaign_audience(p_id uuid)
returns jsonb
language plpgsql volatile security definer
set search_path = ''
as $$
declare
    v_campaign public.campaigns := private.campaign_to_change(p_id);
    v_stats jsonb;
    v_excluded jsonb;
    v_is_draft boolean := v_campaign.status in ('draft', 'scheduled');
begin
    begin
        if v_is_draft and v_campaign.audience is not null then
            perform private.try_audience(v_campaign);
        end if;
        v_stats := private.stats_of(p_id);
        v_excluded := private.reasons_of(p_id, false);
        if v_is_draft then
            raise exception sqlstate 'UNDO0';
        end if;
    exception when sqlstate 'UNDO0' then
        null;
    end;
    return jsonb_build_object('total', v_stats -> 'total',
        'recipients', (v_stats ->> 'total')::bigint - (v_stats ->> 'excluded')::bigint - (v_stats ->> 'held_out')::bigint,
        'held_out', v_stats -> 'held_out', 'excluded', v_excluded, 'tier', private.tier_answer(v_campaign),
        'problems', case when v_is_draft then private.campaign_problems(v_campaign) else '[]' end);
end
$$;
comment on function public.campaign_audience(uuid) is
    'Who would get it, or who was to get it: {"total", "recipients", "held_out", "excluded": {reason: n}, "tier": {"limit", "used"}, "problems"}. Errors: AUTH_003, CAMPAIGN_001.';

create or replace function public.campaign_exclusions(p_id uuid, p_reason text default null, p_limit integer default 50, p_after uuid default null)
returns jsonb
language plpgsql volatile security definer
set search_path = ''
as $$
declare
    v_campaign public.campaigns := private.campaign_to_change(p_id);
    v_page jsonb;
begin
    if v_campaign.status not in ('draft', 'scheduled') then
        return private.excluded_page(p_id, p_reason, p_limit, p_after);
    end if;
    begin
        if v_campaign.audience is not null then
            perform private.try_audience(v_campaign);
        end if;
        v_page := private.excluded_page(p_id, p_reason, p_limit, p_after);
        raise exception sqlstate 'UNDO0';
    exception when sqlstate 'UNDO0' then
        null;
    end;
    return v_page;
end
$$;
comment on function public.campaign_exclusions(uuid, text, integer, uuid) is
    'Who is left out and why: [{contact_id, full_name, phone, reason}]; p_after: the contact_id of the last one before. Errors: AUTH_003, CAMPAIGN_001.';

-- The first messages as their recipients will see them.
create or replace function private.rehearsed_messages(p_campaign_id uuid, p_limit integer)
returns jsonb
language sql stable
set search_path = ''
as $$
    select coalesce(jsonb_agg(jsonb_build_object('contact_id', x.contact_id, 'full_name', x.full_name, 'phone', x.phone, 'variant', x.variant,
        'rendered', octopush.render_template(x.template, octopush.campaign_values(x.variables, x.contact))) order by x.position), '[]')
    from (
        select r.position, r.contact_id, c.full_name, coalesce(c.phone, '+' || c.wa_id) as phone, r.variant, v.variables,
            private.template_shape(t) as template, to_jsonb(c) as contact
        from public.campaign_recipients r
        join public.contacts c on c.id = r.contact_id
        join public.campaign_variants v on v.campaign_id = r.campaign_id and v.position = r.variant
        join public.templates t on t.id = v.template_id
        where r.campaign_id = p_campaign_id and (case when r.variant is null then 1 else 0 end) = 0 and r.ready_at is not null
        order by r.ready_at, r.position limit p_limit
    ) x
$$;

-- Other campaigns that write to the same people around that time. Those that are sending are asked by their ledger, scheduled ones by their audience.
create or replace function private.campaign_conflicts(p_campaign public.campaigns, p_starts_at timestamptz)
returns jsonb
language plpgsql stable
set search_path = ''
as $$
declare
    v_other public.campaigns;
    v_count bigint;
    v_result jsonb := '[]'::jsonb;
begin
    for v_other in
        select c.* from public.campaigns c
        where c.org_id = p_campaign.org_id and c.id <> p_campaign.id and (c.status in ('sending', 'paused')
            or (c.status = 'scheduled' and c.scheduled_at between p_starts_at - interval '1 day' and p_starts_at + interval '1 day'))
        order by coalesce(c.scheduled_at, c.started_at) desc limit 5
    loop
        if v_other.status = 'scheduled' then
            select count(*) into v_count from private.audience_contacts(v_other.org_id, v_other.audience) a (id)
            join public.campaign_recipients r on r.campaign_id = p_campaign.id and r.contact_id = a.id and r.ready_at is not null;
        else
            select count(*) into v_count from public.campaign_recipients o
            join public.campaign_recipients r on r.campaign_id = p_campaign.id and r.contact_id = o.contact_id and r.ready_at is not null
            where o.campaign_id = v_other.id and (o.ready_at is not null or o.queued_at > p_starts_at - interval '1 day');
        end if;
        if v_count > 0 then
            v_result := v_result || jsonb_build_object('kind', 'campaign', 'campaign_id', v_other.id, 'name', v_other.name, 'status', v_other.status,
                'scheduled_at', v_other.scheduled_at, 'contacts', v_count);
        end if;
    end loop;
    return v_result;
end
$$;

-- When the last message leaves, of those that wait now.
create or replace function private.campaign_finishes_at(p_campaign public.campaigns, p_from timestamptz)
returns timestamptz
language plpgsql stable
set search_path = ''
as $$
declare
    v_account public.whatsapp_accounts;
    v_tier record;
    v_zone text := private.campaign_zone(p_campaign);
    v_waiting bigint;
    v_rest bigint;
    v_at timestamptz := p_from;
begin
    select a.* into v_account from public.whatsapp_accounts a where a.id = p_campaign.whatsapp_account_id;
    select t.* into v_tier from private.tier_state(p_campaign.whatsapp_account_id, p_from) t;
    select coalesce(sum(s.waiting) filter (where s.variant > 0 or p_campaign.winner is not null), 0)::bigint + coalesce(sum(s.queued - s.uncertain), 0)::bigint,
        coalesce(sum(s.waiting) filter (where s.variant = 0 and p_campaign.winner is null), 0)::bigint
    into v_waiting, v_rest from private.campaign_variant_stats s where s.campaign_id = p_campaign.id;
    v_at := private.finish_estimate(v_waiting, v_at, v_account.messages_per_second, p_campaign.quiet_hours, v_zone, v_tier.tier_limit, v_tier.portfolio);
    if v_rest > 0 then
        v_at := coalesce(p_campaign.tested_at, v_at) + make_interval(hours => (p_campaign.test ->> 'hours')::integer);
        v_at := private.finish_estimate(v_waiting + v_rest, greatest(v_at, p_from), v_account.messages_per_second, p_campaign.quiet_hours, v_zone,
            v_tier.tier_limit, v_tier.portfolio);
    end if;
    return v_at;
end
$$;

create or replace function public.rehearse_campaign(p_id uuid, p_limit integer default 20)
returns jsonb
language plpgsql volatile security definer
set search_path = ''
as $$
declare
    v_campaign public.campaigns := private.campaign_to_change(p_id);
    v_problems jsonb;
    v_stats jsonb;
    v_tier jsonb;
    v_starts_at timestamptz;
    v_quiet timestamptz;
    v_recipients bigint;
    v_conflicts jsonb := '[]'::jsonb;
    v_result jsonb;
begin
    if v_campaign.status not in ('draft', 'scheduled') then
        perform private.refuse_campaign_state(v_campaign);
    end if;
    v_starts_at := greatest(v_campaign.scheduled_at, private.clock());
    v_problems := private.campaign_problems(v_campaign);
    if v_campaign.audience is null or not exists (select from public.campaign_variants v where v.campaign_id = p_id and v.template_id is not null) then
        return jsonb_build_object('recipients', 0, 'excluded', '{}'::jsonb, 'held_out', 0, 'messages', '[]'::jsonb, 'cost', null,
            'starts_at', v_starts_at, 'finishes_at', null, 'conflicts', '[]'::jsonb, 'problems', v_problems);
    end if;
    v_tier := private.tier_answer(v_campaign);
    v_quiet := private.quiet_until(v_campaign.quiet_hours, private.campaign_zone(v_campaign), v_starts_at);
    begin
        begin
            v_campaign := private.start_campaign(v_campaign, private.clock());
        exception when others then
            if sqlstate <> 'PGRST' then
                raise;
            end if;
            -- Nobody is left to write to: the rows are gone with the block, so they are made once more.
            v_problems := v_problems || private.campaign_problem('audience', 'CAMPAIGN_002', 'Nobody in the audience can receive it');
            perform private.try_audience(v_campaign);
        end;
        v_stats := private.stats_of(p_id);
        v_recipients := (v_stats ->> 'waiting')::bigint;
        v_conflicts := private.campaign_conflicts(v_campaign, v_starts_at);
        v_result := jsonb_build_object('recipients', v_recipients, 'excluded', private.reasons_of(p_id, false), 'held_out', v_stats -> 'held_out',
            'messages', private.rehearsed_messages(p_id, least(greatest(coalesce(p_limit, 20), 0), 200)), 'cost', v_campaign.planned_cost,
            'starts_at', coalesce(v_quiet, v_starts_at), 'finishes_at', private.campaign_finishes_at(v_campaign, v_starts_at));
        raise exception sqlstate 'UNDO0';
    exception when sqlstate 'UNDO0' then
        null;
    end;
    if v_result -> 'excluded' ? 'frequency_cap' then
        v_conflicts := v_conflicts || jsonb_build_object('kind', 'frequency_cap', 'contacts', v_result #> '{excluded,frequency_cap}');
    end if;
    if (v_tier ->> 'limit')::integer < (v_tier ->> 'used')::integer + v_recipients then
        v_conflicts := v_conflicts || (jsonb_build_object('kind', 'tier', 'contacts', v_recipients + (v_tier ->> 'used')::integer - (v_tier ->> 'limit')::integer) || v_tier);
    end if;
    if v_quiet is not null then
        v_conflicts := v_conflicts || jsonb_build_object('kind', 'quiet_hours', 'until', v_quiet);
    end if;
    return v_result || jsonb_build_object('conflicts', v_conflicts, 'problems', v_problems);
end
$$;
comment on function public.rehearse_campaign(uuid, integer) is
    'What a launch would do: {"recipients", "excluded", "held_out", "messages", "cost", "starts_at", "finishes_at", "conflicts", "problems"}; runs the launch and rolls it back. Errors: AUTH_003, CAMPAIGN_001, CAMPAIGN_005.';
