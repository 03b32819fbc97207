-- Looking at templates: list, preview, figures (PRD §9.4–9.5). Called by the web UI and supabase-js.
-- Must stay true: counts include what workers have not added up yet; a read rate says nothing of fewer than 50 sends (PRD §9.4).

create or replace function private.like_pattern(p_search text)
returns text
language sql immutable parallel safe
set search_path = ''
as $$ select '%' || regexp_replace(lower(btrim(p_search)), '([\\%_])', '\\\1', 'g') || '%' $$;

create or replace function public.list_templates(
    p_org_id uuid,
    p_search text default null,
    p_status text default null,
    p_category text default null,
    p_language text default null,
    p_sort text default 'name',
    p_descending boolean default false,
    p_limit integer default 25,
    p_offset integer default 0,
    p_waba_id text default null,
    p_is_for_campaigns boolean default false
) returns jsonb
language plpgsql stable security definer
set search_path = ''
as $$
declare
    -- Names are written with underscores; people search them with spaces.
    v_pattern text := private.like_pattern(regexp_replace(btrim(p_search), '\s+', '_', 'g'));
    v_result jsonb;
begin
    perform private.require_permission(p_org_id, 'read');
    if coalesce(p_sort, '') not in ('name', 'created_at', 'sent_count', 'read_rate') then
        perform private.refuse_template('/sort', 'unknown', 'Templates are sorted by name, created_at, sent_count or read_rate');
    end if;
    with fresh as (
        select d.template_id, sum(d.sent) as sent, sum(d.delivered) as delivered, sum(d.read) as read, max(d.last_used_at) as last_used_at
        from private.template_deltas d where d.org_id = p_org_id group by 1
    ), found as materialized (
        select t.id, t.name, t.language, t.created_at, t.sent_count + coalesce(f.sent, 0) as sent, t.delivered_count + coalesce(f.delivered, 0) as delivered,
            t.read_count + coalesce(f.read, 0) as read, greatest(t.last_used_at, f.last_used_at) as last_used_at
        from public.templates t
        left join fresh f on f.template_id = t.id
        where t.org_id = p_org_id and t.deleted_at is null
            and (v_pattern is null or t.name like v_pattern)
            and (p_status is null or t.status = p_status)
            and (p_category is null or t.category = p_category)
            and (p_language is null or t.language = p_language)
            and (p_waba_id is null or t.waba_id = p_waba_id)
            -- A one-time code is for the one person who asked for it.
            and (not coalesce(p_is_for_campaigns, false) or (t.status = 'approved' and t.category <> 'authentication'))
    ), rated as (
        select x.*, case when x.sent >= 50 and x.delivered > 0 then round(x.read::numeric / x.delivered, 4) end as read_rate from found x
    ), sorted as (
        select r.*, row_number() over (order by
            case p_sort when 'created_at' then extract(epoch from r.created_at) when 'sent_count' then r.sent when 'read_rate' then r.read_rate end
                * case when p_descending then -1 else 1 end nulls last,
            case when p_sort = 'name' and p_descending then r.name end collate "C" desc,
            r.name collate "C", r.language, r.id) as position
        from rated r
    ), page as (
        select s.* from sorted s order by s.position
        limit least(greatest(coalesce(p_limit, 25), 1), 200) offset greatest(coalesce(p_offset, 0), 0)
    )
    select jsonb_build_object('total', (select count(*) from found), 'templates', coalesce(jsonb_agg(
        to_jsonb(t) || jsonb_build_object('sent_count', p.sent, 'delivered_count', p.delivered, 'read_count', p.read,
            'last_used_at', p.last_used_at, 'read_rate', p.read_rate) order by p.position), '[]'))
    into v_result
    from page p join public.templates t on t.id = p.id;
    return v_result;
end
$$;
comment on function public.list_templates(uuid, text, text, text, text, text, boolean, integer, integer, text, boolean) is
    'p_search: part of the name; p_sort: name | created_at | sent_count | read_rate (read of delivered, null under 50 sends, last); p_limit at most 200; p_waba_id: of one account; p_is_for_campaigns: only what a campaign may send → {"total", "templates"}. Errors: AUTH_002, ORG_001, TEMPLATE_004.';

create or replace function public.preview_template(p_id uuid, p_values jsonb default '{}')
returns jsonb
language plpgsql stable security definer
set search_path = ''
as $$
declare
    v_template public.templates := private.template_to_read(p_id);
begin
    return octopush.render_template(private.template_shape(v_template), coalesce(p_values, '{}'));
end
$$;
comment on function public.preview_template(uuid, jsonb) is
    'What a phone shows: {"header", "body", "footer", "buttons", "cards"}; a value that is missing shows its placeholder. Errors: TEMPLATE_001.';

create or replace function public.template_variables(p_id uuid)
returns jsonb
language plpgsql stable security definer
set search_path = ''
as $$
declare
    v_template public.templates := private.template_to_read(p_id);
begin
    return octopush.template_variables(private.template_shape(v_template));
end
$$;
comment on function public.template_variables(uuid) is 'What has to be filled in: [{"key", "kind", "example", "label"}]. Errors: TEMPLATE_001.';

-- What came back, by the day of the message: of campaigns what their ledger says, of agents' messages whether the contact wrote in the
-- seven days after.
create or replace function private.template_replies(p_template public.templates, p_since timestamptz, p_time_zone text)
returns table (day date, replied bigint)
language sql stable
set search_path = ''
as $$
    select (m.created_at at time zone p_time_zone)::date, count(*)
    from public.messages m
    where m.template_id = p_template.id and m.campaign_id is null and m.created_at >= p_since
        and num_nonnulls(m.accepted_at, m.sent_at, m.delivered_at, m.read_at) > 0
        and exists (
            select from public.messages a
            where a.conversation_id = m.conversation_id and a.direction = 'inbound'
                and a.occurred_at > m.occurred_at and a.occurred_at <= m.occurred_at + interval '7 days')
    group by 1
    union all
    select (r.queued_at at time zone p_time_zone)::date, count(*)
    from public.campaign_variants v
    join public.campaigns c on c.id = v.campaign_id and coalesce(c.finished_at >= p_since, true)
    join public.campaign_recipients r on r.campaign_id = v.campaign_id and r.variant = v.position
        and r.replied_at is not null and r.queued_at >= p_since
    where v.org_id = p_template.org_id and v.template_id = p_template.id
    group by 1
$$;

create or replace function public.template_analytics(p_id uuid, p_days integer default 30)
returns jsonb
language plpgsql stable security definer
set search_path = ''
as $$
declare
    v_template public.templates := private.template_to_read(p_id);
    v_zone text := (select o.time_zone from public.organizations o where o.id = v_template.org_id);
    v_today date := (private.clock() at time zone v_zone)::date;
    v_first date := v_today - (least(greatest(coalesce(p_days, 30), 1), 366) - 1);
    v_days jsonb;
begin
    select jsonb_agg(jsonb_build_object('day', d.day, 'sent', coalesce(c.sent, 0), 'delivered', coalesce(c.delivered, 0),
        'read', coalesce(c.read, 0), 'replied', coalesce(r.replied, 0)) order by d.day)
    into v_days
    from (select v_first + i as day from generate_series(0, v_today - v_first) i) d
    left join (
        select (x.slot at time zone v_zone)::date as day, sum(x.sent) as sent, sum(x.delivered) as delivered, sum(x.read) as read
        from (
            select k.slot, k.sent, k.delivered, k.read from private.template_counts k
            where k.template_id = p_id and k.slot >= v_first::timestamp at time zone v_zone
            union all
            select k.slot, k.sent, k.delivered, k.read from private.template_deltas k
            where k.template_id = p_id and k.slot >= v_first::timestamp at time zone v_zone
        ) x
        group by 1
    ) c on c.day = d.day
    left join (
        select x.day, sum(x.replied) as replied from private.template_replies(v_template, v_first::timestamp at time zone v_zone, v_zone) x group by 1
    ) r on r.day = d.day;
    return jsonb_build_object('days', v_days,
        'totals', (
            select jsonb_build_object('sent', sum(x.sent), 'delivered', sum(x.delivered), 'read', sum(x.read), 'replied', sum(x.replied))
            from jsonb_to_recordset(v_days) as x (sent bigint, delivered bigint, read bigint, replied bigint)),
        'campaigns', (
            select coalesce(jsonb_agg(jsonb_build_object('id', u.id, 'name', u.name, 'status', u.status)), '[]')
            from private.template_campaigns(p_id) u),
        'flows', '[]'::jsonb);
end
$$;
comment on function public.template_analytics(uuid, integer) is
    'Days of the organisation''s time zone, by when the message was made → {"days": [{"day", "sent", "delivered", "read", "replied"}], "totals", "campaigns", "flows"}. Errors: TEMPLATE_001.';
