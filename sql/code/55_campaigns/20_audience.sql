-- Who a campaign is for, and who of them is left out for what reason: the snapshot that a launch makes of its audience.
-- Called by 40_life_cycle.sql, and by the rehearsal, which takes it back again.
-- Must stay true: everybody of the audience has one row, with a reason or a place in the queue; the same contact always falls to the same
-- variant and hold-out of a campaign; set-based throughout, a million contacts are a usual audience.

create or replace function private.audience_contacts(p_org_id uuid, p_audience jsonb)
returns setof uuid
language plpgsql stable rows 100000
set search_path = ''
as $$
begin
    if p_audience ? 'segment_id' then
        return query select m.contact_id from public.segment_members m
        where m.org_id = p_org_id and m.segment_id = (p_audience ->> 'segment_id')::uuid;
    else
        return query select s from private.selected_contacts(p_org_id, p_audience) s;
    end if;
end
$$;

-- Contacts who had as much marketing from campaigns as the cap allows. p_contact_ids null: all of them.
create or replace function private.capped_contacts(p_org_id uuid, p_contact_ids uuid[], p_now timestamptz)
returns setof uuid
language plpgsql stable rows 10000
set search_path = ''
as $$
declare
    v_cap jsonb := (select s.marketing_cap from public.campaign_settings s where s.org_id = p_org_id);
    v_since timestamptz;
    v_campaign_ids uuid[];
begin
    if v_cap is null then
        return;
    end if;
    v_since := p_now - make_interval(days => (v_cap ->> 'days')::integer);
    v_campaign_ids := array(
        select c.id from public.campaigns c
        where c.org_id = p_org_id and c.is_marketing and c.launched_at is not null and coalesce(c.finished_at, 'infinity') >= v_since);
    if p_contact_ids is null then
        return query
        select r.contact_id from public.campaign_recipients r
        where r.campaign_id = any (v_campaign_ids) and r.queued_at > v_since and r.status in ('queued', 'sent', 'delivered', 'read')
        group by r.contact_id having count(*) >= (v_cap ->> 'messages')::integer;
    else
        return query
        select r.contact_id from public.campaign_recipients r
        where r.org_id = p_org_id and r.contact_id = any (p_contact_ids)
            and r.campaign_id = any (v_campaign_ids) and r.queued_at > v_since and r.status in ('queued', 'sent', 'delivered', 'read')
        group by r.contact_id having count(*) >= (v_cap ->> 'messages')::integer;
    end if;
end
$$;

-- Why a contact gets no message of a campaign, apart from caps and values; null when it may. The order is that of what people can change.
create or replace function private.exclusion_reason(
    p_deleted_at timestamptz, p_wa_id text, p_phone text, p_bsuid text, p_not_on_whatsapp_at timestamptz, p_marketing_stopped_at timestamptz,
    p_opt_in_status text, p_is_marketing boolean
) returns text
language sql immutable parallel safe
set search_path = ''
as $$
    select case
        when p_deleted_at is not null then 'erased'
        when coalesce(p_wa_id, p_phone, p_bsuid) is null then 'no_phone'
        when p_not_on_whatsapp_at is not null then 'not_on_whatsapp'
        when p_marketing_stopped_at is not null and (p_is_marketing or p_opt_in_status = 'opted_out') then 'stopped_marketing'
        when p_opt_in_status = 'opted_out' then 'opted_out'
        -- Whatever the category (PRD §5.6).
        when p_opt_in_status <> 'opted_in' then 'not_opted_in'
    end
$$;

-- What is needed to know whose values Meta would refuse without rendering for everybody: the contact's fields a variant uses, how many
-- characters they may have together before a limit can be reached at all, and whether any value may be refused for more than its length.
create or replace function private.variant_budgets(p_campaign_id uuid)
returns table (variant integer, template jsonb, variables jsonb, tokens jsonb, fields text[], longest bigint, budget integer, always boolean)
language sql stable
set search_path = ''
as $$
    select v.position, x.template, v.variables,
        (select jsonb_object_agg(l.key, repeat('A', 22)) from jsonb_object_keys(t.links) l (key)),
        f.fields, f.longest,
        (least(1024 - coalesce(length(x.rendered ->> 'body'), 0), case when f.in_header then 60 - length(x.rendered #>> '{header,text}') end)
            -- A variable may stand in the text more than once.
            / greatest(1, ceil((length(x.template::text) - length(replace(x.template::text, '{{', ''))) / 2.0 / greatest(1, f.count))))::integer,
        coalesce(f.elsewhere, false)
    from public.campaign_variants v
    join public.templates t on t.id = v.template_id
    cross join lateral (
        select private.template_shape(t) as template,
            octopush.render_template(private.template_shape(t), octopush.campaign_values(v.variables, '{}')) as rendered
    ) x
    cross join lateral (
        select array_agg(e.value ->> 'field') as fields, count(*) as count,
            -- As long as the columns of contacts allow.
            sum(case when e.value ->> 'field' in ('full_name', 'first_name', 'company', 'job_title') then 200 when e.value ->> 'field' = 'email' then 320
                when e.value ->> 'field' in ('phone', 'birthday') then 16 when e.value ->> 'field' = 'username' then 100 else 100000 end) as longest, bool_or(e.key like 'header.%') as in_header,
            bool_or(e.key !~ '^(header|body)\.' or e.key in ('header.media', 'header.location')) as elsewhere
        from jsonb_each(v.variables) e where e.value ->> 'source' = 'contact'
    ) f
    where v.campaign_id = p_campaign_id
$$;

-- Up to which bucket each variant goes; what is above the last waits for the winner. Below held_out nobody gets anything.
create or replace function private.variant_bounds(p_campaign public.campaigns)
returns table (held_out integer, bounds integer[])
language sql stable
set search_path = ''
as $$
    select h.held_out, array_agg((h.held_out + h.tested * v.upto / v.total)::integer order by v.position)
    from (
        select p_campaign.holdout_percent * 100 as held_out,
            (10000 - p_campaign.holdout_percent * 100) * coalesce((p_campaign.test ->> 'percent')::numeric, 100) / 100 as tested
    ) h
    cross join (
        select v.position, sum(v.share) over (order by v.position) as upto, sum(v.share) over () as total
        from public.campaign_variants v where v.campaign_id = p_campaign.id
    ) v
    group by h.held_out
$$;

create or replace function private.snapshot_audience(p_campaign public.campaigns, p_now timestamptz)
returns void
language plpgsql volatile
set search_path = ''
set work_mem = '128MB'
as $$
declare
    v_held_out integer;
    v_bounds integer[];
    v_has_cap boolean := p_campaign.is_marketing and exists (
        select from public.campaign_settings s where s.org_id = p_campaign.org_id and s.marketing_cap is not null);
    v_budget record;
begin
    select b.held_out, b.bounds into v_held_out, v_bounds from private.variant_bounds(p_campaign) b;
    -- A draft without a template has an audience, too.
    v_held_out := coalesce(v_held_out, p_campaign.holdout_percent * 100);
    v_bounds := coalesce(v_bounds, array[10000]);
    insert into public.campaign_recipients (campaign_id, contact_id, org_id, position, variant, status, exclusion_reason, ready_at)
    select p_campaign.id, x.id, p_campaign.org_id, row_number() over (order by x.id),
        case when x.reason is null and x.bucket >= v_held_out then
            case when x.bucket < v_bounds[1] then 1 when x.bucket < v_bounds[2] then 2 when x.bucket < v_bounds[3] then 3 end end,
        case when x.reason is not null then 'excluded' when x.bucket < v_held_out then 'held_out' else 'waiting' end,
        x.reason,
        case when x.reason is null and x.bucket >= v_held_out then p_now end
    from (
        select c.id, coalesce(
                private.exclusion_reason(c.deleted_at, c.wa_id, c.phone, c.bsuid, c.not_on_whatsapp_at, c.marketing_stopped_at, c.opt_in_status,
                    p_campaign.is_marketing),
                case when k.id is not null then 'frequency_cap' end) as reason,
            case when v_held_out = 0 and v_bounds[1] = 10000 then 0 else octopush.stable_bucket(p_campaign.id, c.id) end as bucket
        from private.audience_contacts(p_campaign.org_id, p_campaign.audience) a (id)
        join public.contacts c on c.id = a.id and c.org_id = p_campaign.org_id
        left join (
            select k from private.capped_contacts(p_campaign.org_id, null, p_now) k where v_has_cap
        ) k (id) on k.id = c.id
        -- Keeps the planner from asking for reason and bucket once for every column made of them.
        offset 0
    ) x;

    -- Whose values Meta would refuse. Few are long enough to be rendered for that.
    for v_budget in select b.* from private.variant_budgets(p_campaign.id) b where b.always or b.longest > b.budget loop
        update public.campaign_recipients r set status = 'excluded', exclusion_reason = 'missing_value', ready_at = null, variant = null
        from public.contacts c
        where r.campaign_id = p_campaign.id and r.variant = v_budget.variant and r.status = 'waiting'
            and c.id = r.contact_id and c.org_id = p_campaign.org_id
            and (v_budget.always or (
                -- The fields of octopush.campaign_values; in line, because it is asked for everybody.
                select sum(length(case
                    when f in ('full_name', 'first_name') then c.full_name when f = 'phone' then c.phone when f = 'email' then c.email
                    when f = 'company' then c.company when f = 'job_title' then c.job_title when f = 'username' then c.username
                    when f = 'birthday' then c.birthday::text when f like 'address.%' then c.address ->> substr(f, 9)
                    when f like 'custom.%' then c.custom_fields ->> substr(f, 8) end))
                from unnest(v_budget.fields) f) > v_budget.budget)
            and octopush.template_message(v_budget.template, octopush.campaign_values(v_budget.variables, to_jsonb(c)), v_budget.tokens) ? 'problems';
    end loop;
end
$$;
