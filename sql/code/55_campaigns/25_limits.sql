-- What holds a campaign up for a while: quiet hours and the messaging limit of the business portfolio. Called by feeding, rehearsal and detail.
-- Must stay true: portfolio_minutes counts portfolio_users by the minute of their last use, so that a day's sum never says less than Meta
-- counts; a contact counts once however many numbers and campaigns of the portfolio write to it.

-- Until when it is quiet; null when it is not.
create or replace function private.quiet_until(p_quiet_hours jsonb, p_time_zone text, p_now timestamptz)
returns timestamptz
language sql stable
set search_path = ''
as $$
    select case
        when q.starts < q.ends and l.at::time >= q.starts and l.at::time < q.ends then (l.at::date + q.ends) at time zone p_time_zone
        when q.starts > q.ends and l.at::time >= q.starts then (l.at::date + 1 + q.ends) at time zone p_time_zone
        when q.starts > q.ends and l.at::time < q.ends then (l.at::date + q.ends) at time zone p_time_zone
    end
    from (select (p_quiet_hours ->> 'from')::time as starts, (p_quiet_hours ->> 'to')::time as ends) q, (select p_now at time zone p_time_zone as at) l
$$;

-- When it gets quiet next; null when it never does.
create or replace function private.quiet_from(p_quiet_hours jsonb, p_time_zone text, p_now timestamptz)
returns timestamptz
language sql stable
set search_path = ''
as $$
    select (l.at::date + case when l.at::time < q.starts then 0 else 1 end + q.starts) at time zone p_time_zone
    from (select (p_quiet_hours ->> 'from')::time as starts) q, (select p_now at time zone p_time_zone as at) l
    where p_quiet_hours is not null
$$;

-- Meta's word for a messaging limit as a number; null: no limit, or none we know of.
create or replace function private.tier_limit(p_tier text)
returns integer
language sql immutable parallel safe
set search_path = ''
as $$
    select case when p_tier ~ '^(TIER_)?[0-9]{1,6}K?$'
        then (substring(p_tier from '([0-9]+)'))::integer * case when p_tier like '%K' then 1000 else 1 end end
$$;

create or replace function private.portfolio_of(p_account public.whatsapp_accounts)
returns text
language sql immutable parallel safe
set search_path = ''
as $$ select coalesce('business ' || p_account.business_id, 'waba ' || p_account.waba_id) $$;

-- The limit of a number's portfolio: used counts people Meta took a message for in the last 24 hours, in_flight what is on its way.
create or replace function private.tier_state(p_account_id uuid, p_now timestamptz)
returns table (portfolio text, tier_limit integer, used integer, in_flight integer, frees_at timestamptz)
language plpgsql stable
set search_path = ''
as $$
declare
    v_accounts uuid[];
begin
    -- Of a number that was never proven to be ours nothing is told.
    select private.portfolio_of(a) into portfolio from public.whatsapp_accounts a where a.id = p_account_id and a.connected_at is not null;
    select array_agg(a.id), max(private.tier_limit(a.messaging_tier)) into v_accounts, tier_limit
    from public.whatsapp_accounts a where private.portfolio_of(a) = portfolio and a.status <> 'disconnected';
    if tier_limit is null then
        used := 0;
        in_flight := 0;
        return next;
        return;
    end if;
    select coalesce(sum(m.users), 0)::integer, min(m.minute) filter (where m.users > 0) + interval '24 hours 1 minute'
    into used, frees_at
    from (
        select x.minute, sum(x.users) as users from private.portfolio_minutes x
        where x.portfolio = tier_state.portfolio and x.minute > p_now - interval '24 hours 1 minute' group by x.minute
    ) m;
    select count(*)::integer into in_flight from private.outbox o where o.whatsapp_account_id = any (v_accounts) and o.lane = 2;
    return next;
end
$$;

-- Messages Meta has just taken; those outside a window count. The caller holds them.
create or replace function private.use_tier(p_message_ids uuid[])
returns void
language plpgsql volatile
set search_path = ''
as $$
declare
    v_now timestamptz := private.clock();
begin
    with taken as materialized (
        select private.portfolio_of(a) as portfolio, m.contact_id
        from public.messages m
        join public.conversations c on c.id = m.conversation_id
        join public.whatsapp_accounts a on a.id = m.whatsapp_account_id
        where m.id = any (p_message_ids) and m.type = 'template' and coalesce(c.window_expires_at <= v_now, true)
            and private.tier_limit(a.messaging_tier) is not null
        group by 1, 2
    ), former as materialized (
        -- In one order, as everywhere.
        select u.portfolio, u.contact_id, u.used_at from private.portfolio_users u
        join taken t on t.portfolio = u.portfolio and t.contact_id = u.contact_id
        order by u.portfolio, u.contact_id for no key update of u
    ), used as (
        insert into private.portfolio_users as u (portfolio, contact_id, used_at)
        select t.portfolio, t.contact_id, v_now from taken t order by t.portfolio, t.contact_id
        on conflict (portfolio, contact_id) do update set used_at = excluded.used_at
        returning u.portfolio
    )
    insert into private.portfolio_minutes (portfolio, minute, users)
    select x.portfolio, x.minute, sum(x.users) from (
        select u.portfolio, date_trunc('minute', v_now) as minute, 1 as users from used u
        union all
        select f.portfolio, date_trunc('minute', f.used_at), -1 from former f
    ) x group by x.portfolio, x.minute having sum(x.users) <> 0;
end
$$;

-- Keeps the sums short. Called by worker.advance_campaigns.
create or replace function private.fold_portfolios(p_now timestamptz)
returns void
language sql volatile
set search_path = ''
as $$
    with gone as (
        delete from private.portfolio_users u where u.used_at < p_now - interval '25 hours'
    ), old as (
        delete from private.portfolio_minutes m where m.minute < p_now - interval '26 hours'
    ), many as (
        select m.portfolio, m.minute from private.portfolio_minutes m
        where m.minute >= p_now - interval '26 hours' group by m.portfolio, m.minute having count(*) > 20
    ), taken as (
        delete from private.portfolio_minutes m using many x where m.portfolio = x.portfolio and m.minute = x.minute returning m.*
    )
    insert into private.portfolio_minutes (portfolio, minute, users)
    select t.portfolio, t.minute, sum(t.users) from taken t group by t.portfolio, t.minute
$$;
