-- A/B tests: when the test share has had its time, who won, and the rest getting what won. Called by worker.advance_campaigns and the web UI.
-- Must stay true: a winner is chosen once; the comparison is octopush.compare_variants, for people and for the automatic choice.

-- By what the campaign's test measures, of those whose message arrived.
create or replace function private.test_comparison(p_campaign public.campaigns)
returns jsonb
language sql stable
set search_path = ''
as $$
    select octopush.compare_variants(coalesce(jsonb_agg(jsonb_build_object('variant', v.position, 'delivered', coalesce(s.delivered, 0),
        'successes', coalesce(case when p_campaign.test ->> 'measure' = 'reply' then s.replied else s.read end, 0)) order by v.position), '[]'))
    from public.campaign_variants v
    left join private.campaign_variant_stats s on s.campaign_id = v.campaign_id and s.variant = v.position
    where v.campaign_id = p_campaign.id
$$;

create or replace function private.set_winner(p_campaign public.campaigns, p_variant integer)
returns public.campaigns
language plpgsql volatile
set search_path = ''
as $$
declare
    v_campaign public.campaigns;
begin
    update public.campaigns c set winner = p_variant, waiting_for = null, resumes_at = null, updated_at = clock_timestamp()
    where c.id = p_campaign.id returning c.* into v_campaign;
    perform private.tell_of_campaign(v_campaign, 'campaign.winner_chosen', (select auth.uid()));
    perform pg_catalog.pg_notify('octopush_campaigns', '');
    return v_campaign;
end
$$;

-- The caller holds the campaign, which has a test and no winner. True when something was decided.
create or replace function private.advance_test(p_campaign public.campaigns, p_now timestamptz)
returns boolean
language plpgsql volatile
set search_path = ''
as $$
declare
    v_comparison jsonb;
    v_hours integer := (p_campaign.test ->> 'hours')::integer;
begin
    if p_campaign.tested_at is null then
        -- People whom Meta lets wait for a day do not hold the test up.
        if not exists (
                select from public.campaign_recipients r
                where r.campaign_id = p_campaign.id and (case when r.variant is null then 1 else 0 end) = 0 and r.ready_at <= p_now)
            and (select s.queued = s.uncertain and s.waiting > 0 from private.campaign_stats s where s.campaign_id = p_campaign.id)
        then
            update public.campaigns c set tested_at = p_now, waiting_for = 'test', resumes_at = p_now + make_interval(hours => v_hours)
            where c.id = p_campaign.id;
            perform private.broadcast_campaigns(p_campaign.org_id, array[p_campaign.id]);
        end if;
        return false;
    end if;
    -- What holds it up is told; the test speaks afterwards.
    if private.is_held(p_campaign) then
        return false;
    end if;
    if p_now < p_campaign.tested_at + make_interval(hours => v_hours) then
        perform private.hold_campaign(p_campaign, 'test', p_campaign.tested_at + make_interval(hours => v_hours));
        return false;
    end if;
    if p_campaign.test ->> 'choose' = 'manual' then
        if p_campaign.waiting_for is null or p_campaign.resumes_at is not null then
            perform private.hold_campaign(p_campaign, 'test', null);
            perform private.notify_of_campaign(p_campaign, 'campaign.test_ended', 'high');
        end if;
        return false;
    end if;
    v_comparison := private.test_comparison(p_campaign);
    perform private.set_winner(p_campaign, coalesce((v_comparison ->> 'winner')::integer, (
        -- The test could not tell: then the better of those that may be equal, and the first of those that are.
        select (r.value ->> 'variant')::integer from jsonb_array_elements(v_comparison -> 'rates') r
        order by (r.value ->> 'rate')::numeric desc nulls last, (r.value ->> 'variant')::integer limit 1)));
    return true;
end
$$;

create or replace function public.choose_winner(p_id uuid, p_variant integer)
returns public.campaigns
language plpgsql volatile security definer
set search_path = ''
as $$
declare
    v_campaign public.campaigns := private.campaign_to_change(p_id);
begin
    if v_campaign.status not in ('sending', 'paused') or v_campaign.test is null or v_campaign.winner is not null then
        perform private.refuse_campaign_state(v_campaign);
    end if;
    if not exists (select from public.campaign_variants v where v.campaign_id = p_id and v.position = p_variant) then
        perform private.refuse_campaign_field('winner', 'wrong_value', 'There is no such variant');
    end if;
    return private.set_winner(v_campaign, p_variant);
end
$$;
comment on function public.choose_winner(uuid, integer) is
    'The rest of the audience gets this variant, now. Errors: AUTH_003, CAMPAIGN_001, CAMPAIGN_005, CAMPAIGN_009.';
