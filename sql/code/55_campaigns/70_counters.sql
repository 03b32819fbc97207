-- Counts of the ledger, kept by statement triggers that append and by a worker that folds; row triggers on a sending campaign would cost
-- forty times as much (design §10). Called by nobody: the triggers fire, worker.advance_campaigns folds.
-- Must stay true: counts + deltas equal a recount at every moment; sent, delivered and read mean "reached at least", so that
-- total = excluded + held_out + waiting + queued + sent + failed.

create or replace function private.count_new_recipients()
returns trigger
language plpgsql volatile security definer
set search_path = ''
as $$
begin
    insert into private.campaign_deltas (campaign_id, variant, total, excluded, held_out, waiting, queued, sent, delivered, read, replied, clicked,
        opportunities, failed, uncertain, held_out_replied, held_out_opportunities)
    select x.campaign_id, coalesce(x.variant, 0), sum(x.sign), coalesce(sum(x.sign) filter (where x.status = 'excluded'), 0),
        coalesce(sum(x.sign) filter (where x.status = 'held_out'), 0),
        coalesce(sum(x.sign) filter (where x.status = 'waiting'), 0),
        coalesce(sum(x.sign) filter (where x.status = 'queued'), 0),
        coalesce(sum(x.sign) filter (where x.status in ('sent', 'delivered', 'read')), 0),
        coalesce(sum(x.sign) filter (where x.status in ('delivered', 'read')), 0),
        coalesce(sum(x.sign) filter (where x.status = 'read'), 0),
        coalesce(sum(x.sign) filter (where x.replied_at is not null and x.status <> 'held_out'), 0),
        coalesce(sum(x.sign) filter (where x.clicked_at is not null), 0),
        coalesce(sum(x.sign) filter (where x.opportunity_at is not null and x.status <> 'held_out'), 0),
        coalesce(sum(x.sign) filter (where x.status = 'failed'), 0),
        coalesce(sum(x.sign) filter (where x.is_uncertain), 0),
        coalesce(sum(x.sign) filter (where x.replied_at is not null and x.status = 'held_out'), 0),
        coalesce(sum(x.sign) filter (where x.opportunity_at is not null and x.status = 'held_out'), 0)
    from (select 1 as sign, n.* from new_rows n) x
    group by x.campaign_id, coalesce(x.variant, 0);
    insert into private.campaign_reasons (campaign_id, is_failure, reason, recipients)
    select x.campaign_id, x.status = 'failed', coalesce(x.exclusion_reason, x.error_code, ''), sum(x.sign)
    from (select 1 as sign, n.* from new_rows n) x
    where x.status in ('excluded', 'failed')
    group by 1, 2, 3 having sum(x.sign) <> 0;
    return null;
end
$$;

create or replace function private.count_gone_recipients()
returns trigger
language plpgsql volatile security definer
set search_path = ''
as $$
begin
    insert into private.campaign_deltas (campaign_id, variant, total, excluded, held_out, waiting, queued, sent, delivered, read, replied, clicked,
        opportunities, failed, uncertain, held_out_replied, held_out_opportunities)
    select x.campaign_id, coalesce(x.variant, 0), sum(x.sign), coalesce(sum(x.sign) filter (where x.status = 'excluded'), 0),
        coalesce(sum(x.sign) filter (where x.status = 'held_out'), 0),
        coalesce(sum(x.sign) filter (where x.status = 'waiting'), 0),
        coalesce(sum(x.sign) filter (where x.status = 'queued'), 0),
        coalesce(sum(x.sign) filter (where x.status in ('sent', 'delivered', 'read')), 0),
        coalesce(sum(x.sign) filter (where x.status in ('delivered', 'read')), 0),
        coalesce(sum(x.sign) filter (where x.status = 'read'), 0),
        coalesce(sum(x.sign) filter (where x.replied_at is not null and x.status <> 'held_out'), 0),
        coalesce(sum(x.sign) filter (where x.clicked_at is not null), 0),
        coalesce(sum(x.sign) filter (where x.opportunity_at is not null and x.status <> 'held_out'), 0),
        coalesce(sum(x.sign) filter (where x.status = 'failed'), 0),
        coalesce(sum(x.sign) filter (where x.is_uncertain), 0),
        coalesce(sum(x.sign) filter (where x.replied_at is not null and x.status = 'held_out'), 0),
        coalesce(sum(x.sign) filter (where x.opportunity_at is not null and x.status = 'held_out'), 0)
    from (
        -- Gone with its campaign: nobody would ever fold it.
        select -1 as sign, o.* from old_rows o where exists (select from public.campaigns c where c.id = o.campaign_id)
    ) x
    group by x.campaign_id, coalesce(x.variant, 0);
    insert into private.campaign_reasons (campaign_id, is_failure, reason, recipients)
    select x.campaign_id, x.status = 'failed', coalesce(x.exclusion_reason, x.error_code, ''), sum(x.sign)
    from (select -1 as sign, o.* from old_rows o where exists (select from public.campaigns c where c.id = o.campaign_id)) x
    where x.status in ('excluded', 'failed')
    group by 1, 2, 3 having sum(x.sign) <> 0;
    return null;
end
$$;

create or replace function private.count_changed_recipients()
returns trigger
language plpgsql volatile security definer
set search_path = ''
as $$
begin
    insert into private.campaign_deltas (campaign_id, variant, total, excluded, held_out, waiting, queued, sent, delivered, read, replied, clicked,
        opportunities, failed, uncertain, held_out_replied, held_out_opportunities)
    select x.campaign_id, coalesce(x.variant, 0), sum(x.sign), coalesce(sum(x.sign) filter (where x.status = 'excluded'), 0),
        coalesce(sum(x.sign) filter (where x.status = 'held_out'), 0),
        coalesce(sum(x.sign) filter (where x.status = 'waiting'), 0),
        coalesce(sum(x.sign) filter (where x.status = 'queued'), 0),
        coalesce(sum(x.sign) filter (where x.status in ('sent', 'delivered', 'read')), 0),
        coalesce(sum(x.sign) filter (where x.status in ('delivered', 'read')), 0),
        coalesce(sum(x.sign) filter (where x.status = 'read'), 0),
        coalesce(sum(x.sign) filter (where x.replied_at is not null and x.status <> 'held_out'), 0),
        coalesce(sum(x.sign) filter (where x.clicked_at is not null), 0),
        coalesce(sum(x.sign) filter (where x.opportunity_at is not null and x.status <> 'held_out'), 0),
        coalesce(sum(x.sign) filter (where x.status = 'failed'), 0),
        coalesce(sum(x.sign) filter (where x.is_uncertain), 0),
        coalesce(sum(x.sign) filter (where x.replied_at is not null and x.status = 'held_out'), 0),
        coalesce(sum(x.sign) filter (where x.opportunity_at is not null and x.status = 'held_out'), 0)
    from (select 1 as sign, n.* from new_rows n union all select -1, o.* from old_rows o) x
    group by x.campaign_id, coalesce(x.variant, 0);
    insert into private.campaign_reasons (campaign_id, is_failure, reason, recipients)
    select x.campaign_id, x.status = 'failed', coalesce(x.exclusion_reason, x.error_code, ''), sum(x.sign)
    from (select 1 as sign, n.* from new_rows n union all select -1, o.* from old_rows o) x
    where x.status in ('excluded', 'failed')
    group by 1, 2, 3 having sum(x.sign) <> 0;
    return null;
end
$$;

create or replace trigger campaign_recipients__count_insert after insert on public.campaign_recipients
    referencing new table as new_rows for each statement execute function private.count_new_recipients();
create or replace trigger campaign_recipients__count_update after update on public.campaign_recipients
    referencing old table as old_rows new table as new_rows for each statement execute function private.count_changed_recipients();
create or replace trigger campaign_recipients__count_delete after delete on public.campaign_recipients
    referencing old table as old_rows for each statement execute function private.count_gone_recipients();

-- In place of a key from the ledger.
create or replace function private.forget_deleted_campaigns()
returns trigger
language plpgsql volatile security definer
set search_path = ''
as $$
begin
    delete from public.campaign_recipients r using old_rows o where r.campaign_id = o.id;
    delete from private.campaign_deltas d using old_rows o where d.campaign_id = o.id;
    delete from private.campaign_reasons x using old_rows o where x.campaign_id = o.id;
    delete from private.send_effects e using old_rows o where e.campaign_id = o.id;
    return null;
end
$$;
create or replace trigger campaigns__forget after delete on public.campaigns
    referencing old table as old_rows for each statement execute function private.forget_deleted_campaigns();

-- Adds up what was appended for these campaigns; those that had anything. Rows another worker is folding are left to it.
create or replace function private.fold_campaigns(p_campaign_ids uuid[])
returns uuid[]
language plpgsql volatile
set search_path = ''
as $$
declare
    v_folded uuid[];
begin
    with taken as (
        delete from private.campaign_reasons x
        where x.id in (
            select y.id from private.campaign_reasons y
            where y.campaign_id in (
                select z.campaign_id from private.campaign_reasons z where z.campaign_id = any (p_campaign_ids) group by z.campaign_id having count(*) > 100)
            for update skip locked)
        returning x.*
    )
    insert into private.campaign_reasons (campaign_id, is_failure, reason, recipients)
    select t.campaign_id, t.is_failure, t.reason, sum(t.recipients) from taken t group by 1, 2, 3 having sum(t.recipients) <> 0;
    with taken as (
        delete from private.campaign_deltas d
        where d.id in (select x.id from private.campaign_deltas x where x.campaign_id = any (p_campaign_ids) for update skip locked)
        returning d.*
    ), folded as (
        insert into private.campaign_counts as k (campaign_id, variant, total, excluded, held_out, waiting, queued, sent, delivered, read,
            replied, clicked, opportunities, failed, uncertain, held_out_replied, held_out_opportunities, folded_at)
        select t.campaign_id, t.variant, sum(t.total), sum(t.excluded), sum(t.held_out), sum(t.waiting), sum(t.queued), sum(t.sent),
            sum(t.delivered), sum(t.read),
            sum(t.replied), sum(t.clicked), sum(t.opportunities), sum(t.failed), sum(t.uncertain), sum(t.held_out_replied),
                sum(t.held_out_opportunities), clock_timestamp()
        from taken t
        -- In one order: two workers may fold the same campaign.
        group by t.campaign_id, t.variant order by t.campaign_id, t.variant
        on conflict (campaign_id, variant) do update set
            total = k.total + excluded.total, excluded = k.excluded + excluded.excluded, held_out = k.held_out + excluded.held_out,
            waiting = k.waiting + excluded.waiting, queued = k.queued + excluded.queued, sent = k.sent + excluded.sent,
            delivered = k.delivered + excluded.delivered, read = k.read + excluded.read, replied = k.replied + excluded.replied,
            clicked = k.clicked + excluded.clicked, opportunities = k.opportunities + excluded.opportunities, failed = k.failed + excluded.failed,
            uncertain = k.uncertain + excluded.uncertain, held_out_replied = k.held_out_replied + excluded.held_out_replied,
                held_out_opportunities = k.held_out_opportunities + excluded.held_out_opportunities,
            folded_at = excluded.folded_at
        returning k.campaign_id
    )
    select coalesce(array_agg(distinct f.campaign_id), '{}') into v_folded from folded f;
    return v_folded;
end
$$;

-- By variant, 0 for those without one, as of now.
create or replace view private.campaign_variant_stats as
select x.campaign_id, x.variant, sum(x.total)::bigint as total, sum(x.excluded)::bigint as excluded, sum(x.held_out)::bigint as held_out,
    sum(x.waiting)::bigint as waiting, sum(x.queued)::bigint as queued, sum(x.sent)::bigint as sent, sum(x.delivered)::bigint as delivered,
    sum(x.read)::bigint as read, sum(x.replied)::bigint as replied, sum(x.clicked)::bigint as clicked, sum(x.opportunities)::bigint as
    opportunities, sum(x.failed)::bigint as failed, sum(x.uncertain)::bigint as uncertain, sum(x.held_out_replied)::bigint as held_out_replied,
    sum(x.held_out_opportunities)::bigint as held_out_opportunities
from (
    select k.campaign_id, k.variant, k.total, k.excluded, k.held_out, k.waiting, k.queued, k.sent, k.delivered, k.read, k.replied, k.clicked,
        k.opportunities, k.failed, k.uncertain, k.held_out_replied, k.held_out_opportunities from private.campaign_counts k
    union all
    select d.campaign_id, d.variant, d.total, d.excluded, d.held_out, d.waiting, d.queued, d.sent, d.delivered, d.read, d.replied, d.clicked,
        d.opportunities, d.failed, d.uncertain, d.held_out_replied, d.held_out_opportunities from private.campaign_deltas d
) x
group by x.campaign_id, x.variant;

create or replace view private.campaign_stats as
select c.id as campaign_id, c.org_id, coalesce(sum(v.total), 0)::bigint as total, coalesce(sum(v.excluded), 0)::bigint as excluded,
    coalesce(sum(v.held_out), 0)::bigint as held_out, coalesce(sum(v.waiting), 0)::bigint as waiting, coalesce(sum(v.queued), 0)::bigint as queued,
    coalesce(sum(v.sent), 0)::bigint as sent, coalesce(sum(v.delivered), 0)::bigint as delivered, coalesce(sum(v.read), 0)::bigint as read,
    coalesce(sum(v.replied), 0)::bigint as replied, coalesce(sum(v.clicked), 0)::bigint as clicked, coalesce(sum(v.opportunities), 0)::bigint as
    opportunities, coalesce(sum(v.failed), 0)::bigint as failed, coalesce(sum(v.uncertain), 0)::bigint as uncertain,
    coalesce(sum(v.held_out_replied), 0)::bigint as held_out_replied, coalesce(sum(v.held_out_opportunities), 0)::bigint as held_out_opportunities
from public.campaigns c left join private.campaign_variant_stats v on v.campaign_id = c.id
group by c.id, c.org_id;

-- {reason: recipients} of those left out, {code: recipients} of those that failed.
create or replace function private.reasons_of(p_campaign_id uuid, p_is_failure boolean)
returns jsonb
language sql stable
set search_path = ''
as $$
    select coalesce(jsonb_object_agg(x.reason, x.recipients), '{}') from (
        select r.reason, sum(r.recipients) as recipients from private.campaign_reasons r
        where r.campaign_id = p_campaign_id and r.is_failure = p_is_failure group by r.reason having sum(r.recipients) <> 0
    ) x
$$;

create or replace function private.stats_of(p_campaign_id uuid)
returns jsonb
language sql stable
set search_path = ''
as $$
    select jsonb_build_object('total', coalesce(sum(v.total), 0), 'excluded', coalesce(sum(v.excluded), 0), 'held_out',
        coalesce(sum(v.held_out), 0), 'waiting', coalesce(sum(v.waiting), 0), 'queued', coalesce(sum(v.queued), 0), 'sent', coalesce(sum(v.sent),
        0), 'delivered', coalesce(sum(v.delivered), 0), 'read', coalesce(sum(v.read), 0), 'replied', coalesce(sum(v.replied), 0), 'clicked',
        coalesce(sum(v.clicked), 0), 'opportunities', coalesce(sum(v.opportunities), 0), 'failed', coalesce(sum(v.failed), 0), 'uncertain',
        coalesce(sum(v.uncertain), 0), 'held_out_replied', coalesce(sum(v.held_out_replied), 0), 'held_out_opportunities',
        coalesce(sum(v.held_out_opportunities), 0))
    from private.campaign_variant_stats v where v.campaign_id = p_campaign_id
$$;
