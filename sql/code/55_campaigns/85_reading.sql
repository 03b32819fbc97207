-- Campaigns as the list and the detail page show them. Called by the web UI and supabase-js.
-- Must stay true: every figure comes from the folded counts and what waits to be folded, never from a count of the ledger, so that a campaign
-- to a million people is read as fast as one to ten.

create or replace function private.audience_name(p_campaign public.campaigns)
returns text
language sql stable
set search_path = ''
as $$
    select case
        when p_campaign.audience is null then null
        when p_campaign.audience ? 'segment_id' then (
            select s.name from public.segments s where s.org_id = p_campaign.org_id and s.id::text = p_campaign.audience ->> 'segment_id')
        when p_campaign.audience ? 'ids' then case jsonb_array_length(p_campaign.audience -> 'ids') when 1 then '1 contact'
            else jsonb_array_length(p_campaign.audience -> 'ids') || ' contacts' end
        when coalesce(btrim(p_campaign.audience ->> 'search'), '') = '' and coalesce(p_campaign.audience -> 'rules', 'null') = 'null' then 'All contacts'
        else 'Chosen contacts' end
$$;

-- What was spent: delivered messages at the average price of those planned (Meta charges on delivery).
create or replace function private.spent(p_campaign public.campaigns, p_delivered bigint)
returns jsonb
language sql stable
set search_path = ''
as $$
    select case when p_campaign.planned_cost is not null then jsonb_build_object('currency', p_campaign.planned_cost ->> 'currency',
        'amount', coalesce(round((p_campaign.planned_cost ->> 'amount')::numeric * p_delivered / nullif((p_campaign.planned_cost ->> 'messages')::numeric, 0), 4), 0),
        'planned', p_campaign.planned_cost -> 'amount') end
$$;

create or replace function public.list_campaigns(
    p_org_id uuid, p_search text default null, p_statuses text[] default null, p_from timestamptz default null, p_to timestamptz default null,
    p_created_by uuid default null, p_limit integer default 25, p_offset integer default 0
) returns jsonb
language plpgsql stable security definer
set search_path = ''
as $$
declare
    v_search text := '%' || replace(replace(replace(lower(btrim(p_search)), '\', '\\'), '%', '\%'), '_', '\_') || '%';
    v_ids uuid[];
    v_limit integer := least(greatest(coalesce(p_limit, 25), 1), 100);
    v_offset integer := greatest(coalesce(p_offset, 0), 0);
begin
    perform private.require_permission(p_org_id, 'read');
    v_ids := array(
        select c.id from public.campaigns c
        where c.org_id = p_org_id and (v_search is null or lower(c.name) like v_search) and (p_statuses is null or c.status = any (p_statuses))
            and (p_from is null or c.created_at >= p_from) and (p_to is null or c.created_at <= p_to)
            and (p_created_by is null or c.created_by = p_created_by)
        order by c.created_at desc, c.id desc);
    return jsonb_build_object('total', cardinality(v_ids), 'campaigns', coalesce((
        select jsonb_agg(to_jsonb(c) || private.stats_of(c.id) || jsonb_build_object('created_by_name', p.full_name, 'audience_name', private.audience_name(c))
            order by i.place)
        from unnest(v_ids[v_offset + 1 : v_offset + v_limit]) with ordinality i (id, place)
        join public.campaigns c on c.id = i.id
        left join public.profiles p on p.user_id = c.created_by), '[]'));
end
$$;
comment on function public.list_campaigns(uuid, text, text[], timestamptz, timestamptz, uuid, integer, integer) is
    'Newest first: {"total", "campaigns": [columns + counts + "created_by_name", "audience_name"]}. Errors: AUTH_002, ORG_001.';

-- What the message changed: those who got it against those held out by chance, by opportunities and by answers.
create or replace function private.campaign_lift(p_campaign public.campaigns, p_stats jsonb)
returns jsonb
language sql stable
set search_path = ''
as $$
    with measured as (
        select x.measure, x.treated, x.held_out, octopush.compare_variants(jsonb_build_array(
            jsonb_build_object('variant', 1, 'delivered', n.treated, 'successes', x.treated),
            jsonb_build_object('variant', 2, 'delivered', n.held_out, 'successes', x.held_out))) as comparison, n.treated as of_treated, n.held_out as of_held_out
        from (select (p_stats ->> 'delivered')::numeric as treated, (p_stats ->> 'held_out')::numeric as held_out) n,
            (values ('opportunities', (p_stats ->> 'opportunities')::numeric, (p_stats ->> 'held_out_opportunities')::numeric),
                ('replies', (p_stats ->> 'replied')::numeric, (p_stats ->> 'held_out_replied')::numeric)) x (measure, treated, held_out)
        where n.held_out > 0
    ), said as (
        select m.*, round(100 * m.treated / nullif(m.of_treated, 0), 1) as treated_percent, round(100 * m.held_out / m.of_held_out, 1) as held_out_percent
        from measured m
    )
    select jsonb_object_agg(s.measure, jsonb_build_object('treated', s.treated, 'held_out', s.held_out, 'treated_percent', s.treated_percent,
            'held_out_percent', s.held_out_percent, 'is_certain', s.comparison -> 'winner' <> 'null', 'p_value', s.comparison -> 'p_value'))
        || jsonb_build_object('treated', max(s.of_treated), 'held_out', max(s.of_held_out), 'sentence', string_agg(
            case s.measure when 'opportunities' then 'Opportunities' else 'Replies' end || ': ' || coalesce(s.treated_percent::text, '0.0')
                || ' % of those who got it, ' || s.held_out_percent || ' % of those held out; '
                || case when s.comparison -> 'winner' <> 'null' then 'more than chance would explain.' else 'chance alone may explain that.' end, ' ' order by s.measure))
    from said s having count(*) > 0
$$;

create or replace function public.campaign_detail(p_id uuid)
returns jsonb
language plpgsql volatile security definer
set search_path = ''
as $$
declare
    v_campaign public.campaigns := private.campaign_to_read(p_id);
    v_stats jsonb := private.stats_of(p_id);
    v_was_launched boolean := v_campaign.launched_at is not null;
begin
    return jsonb_build_object(
        'campaign', to_jsonb(v_campaign),
        'variants', coalesce((
            select jsonb_agg(to_jsonb(v) - array['org_id', 'campaign_id'] || jsonb_build_object('template_name', t.name, 'template_language', t.language,
                'template_category', t.category) order by v.position)
            from public.campaign_variants v left join public.templates t on t.id = v.template_id where v.campaign_id = p_id), '[]'),
        'stats', v_stats,
        'by_variant', coalesce((select jsonb_agg(to_jsonb(s) - 'campaign_id' order by s.variant)
            from private.campaign_variant_stats s where s.campaign_id = p_id and s.variant > 0), '[]'),
        'failures', coalesce((
            select jsonb_agg(jsonb_build_object('code', f.key, 'count', f.value, 'may_be_retried', private.may_be_retried(f.key)) order by f.value::bigint desc, f.key)
            from jsonb_each(private.reasons_of(p_id, true)) f), '[]'),
        'excluded', private.reasons_of(p_id, false),
        'lift', case when v_was_launched then private.campaign_lift(v_campaign, v_stats) end,
        'comparison', case when v_was_launched and (select count(*) > 1 from public.campaign_variants v where v.campaign_id = p_id)
            then private.test_comparison(v_campaign) end,
        'cost', private.spent(v_campaign, (v_stats ->> 'delivered')::bigint),
        'finishes_at', case when v_campaign.status = 'sending' then private.campaign_finishes_at(v_campaign, private.clock()) end,
        'tier', private.tier_answer(v_campaign),
        'audience_name', private.audience_name(v_campaign),
        'created_by_name', (select p.full_name from public.profiles p where p.user_id = v_campaign.created_by));
end
$$;
comment on function public.campaign_detail(uuid) is
    '{"campaign", "variants", "stats", "by_variant", "failures": [{"code", "count", "may_be_retried"}], "excluded", "lift", "comparison", "cost", "finishes_at", "tier", "audience_name", "created_by_name"}. Errors: AUTH_002, CAMPAIGN_001.';
