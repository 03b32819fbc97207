-- What became of messages, written into the ledger in the transaction that learned it. Called by claims, reports and statuses
-- (50_sending, 40_inbox), which hold the messages.
-- Must stay true: the ledger's row follows its present message and no other; a person is written to again only after Meta refused the
-- message for now; nobody here waits for a contact or a campaign: that is left to private.send_effects.

-- Refusals after which the same person may get the message later: the first is the person's own limit, the others are the number's, the
-- account's or the template's.
create or replace function private.is_refused_for_now(p_code text)
returns boolean
language sql immutable parallel safe
set search_path = ''
as $$ select p_code in ('131049', '131048', '131064', '132001', '132015', '132016', 'WA_002', 'WA_006', 'WA_007') $$;

create or replace function private.settle_ledger(p_message_ids uuid[])
returns void
language plpgsql volatile
set search_path = ''
-- By keys, as private.make_campaign_messages.
set enable_seqscan = off
set enable_hashjoin = off
set enable_mergejoin = off
as $$
begin
    -- In one order, as whoever else holds several rows of the ledger (merges).
    perform r.contact_id from public.messages m
    join public.campaign_recipients r on r.campaign_id = m.campaign_id and r.org_id = m.org_id and r.contact_id = m.contact_id and r.message_id = m.id
    where m.id = any (p_message_ids) and m.campaign_id is not null
    order by r.campaign_id, r.contact_id for no key update of r;

    with outcome as materialized (
        select m.id, m.org_id, m.campaign_id, m.contact_id, m.is_uncertain,
            -- Taken by Meta: sent, whether its own status has come or not.
            case when m.status <> 'pending' then m.status when m.wa_message_id is null then 'queued' else 'sent' end as status,
            least(m.sent_at, m.accepted_at) as sent_at, m.delivered_at, m.read_at, m.failed_at, m.error_code, m.error_message
        from public.messages m where m.id = any (p_message_ids) and m.campaign_id is not null
    ), judged as materialized (
        select o.*, c.status as campaign_status,
            case when o.status = 'failed' and private.is_refused_for_now(o.error_code) and c.status in ('sending', 'paused', 'completed')
                -- Three days are enough of somebody's limit, and three tries with a template that is not the winner's; a pause ends the others.
                and (o.error_code not in ('131049', 'WA_002') or r.attempts < 3) then 'waiting' else o.status end as new_status
        from outcome o
        join public.campaign_recipients r on r.campaign_id = o.campaign_id and r.org_id = o.org_id and r.contact_id = o.contact_id and r.message_id = o.id
        join public.campaigns c on c.id = o.campaign_id
        -- Left out since: only what reached the person after all counts.
        where r.status <> 'excluded' or o.status in ('delivered', 'read')
    ), changed as (
        update public.campaign_recipients r set
            status = j.new_status, is_uncertain = j.is_uncertain, exclusion_reason = null,
            ready_at = case when j.new_status = 'waiting' then private.clock() + case when j.error_code = '131049' then interval '24 hours' else interval '0' end end,
            sent_at = coalesce(r.sent_at, j.sent_at), delivered_at = j.delivered_at, read_at = j.read_at,
            failed_at = case when j.new_status = 'failed' then j.failed_at end,
            error_code = case when j.new_status in ('failed', 'waiting') then j.error_code end,
            error_message = case when j.new_status in ('failed', 'waiting') then left(j.error_message, 500) end
        from judged j
        where r.campaign_id = j.campaign_id and r.org_id = j.org_id and r.contact_id = j.contact_id and r.message_id = j.id
            and (r.status, r.is_uncertain) is distinct from (j.new_status, j.is_uncertain)
        returning r.campaign_id, r.org_id, j.campaign_status, j.new_status, j.error_code
    )
    insert into private.send_effects (org_id, kind, campaign_id, code, occurred_at)
    select distinct c.org_id, 'pause', c.campaign_id, c.error_code, clock_timestamp()
    from changed c
    -- The others hold a campaign up by themselves.
    where c.new_status = 'waiting' and c.error_code in ('131048', '131064', '132001', '132015', '132016') and c.campaign_status <> 'paused';

    insert into private.send_effects (org_id, kind, contact_id, code, occurred_at)
    select m.org_id, case when m.error_code = '131050' then 'stopped_marketing' else 'not_on_whatsapp' end, m.contact_id, m.error_code, m.failed_at
    from public.messages m
    where m.id = any (p_message_ids) and m.status = 'failed' and m.error_code in ('131050', '131026');
end
$$;

-- Inbound messages may answer a campaign; private.apply_replies finds out which. p_inserted: as worker.apply_messages hands it to
-- private.fold_inbound. The same transaction goes on to lock messages for their statuses, so it must hold no row of the ledger.
create or replace function private.note_replies(p_inserted jsonb)
returns void
language sql volatile
set search_path = ''
as $$
    insert into private.send_effects (org_id, kind, contact_id, campaign_id, whatsapp_account_id, occurred_at)
    select i.org_id, 'replied', i.contact_id, q.campaign_id, m.whatsapp_account_id, min(i.occurred_at)
    from jsonb_to_recordset(p_inserted) as i (
        id uuid, org_id uuid, contact_id uuid, occurred_at timestamptz, reply_to_message_id uuid, is_new boolean)
    join public.messages m on m.id = i.id
    left join public.messages q on q.id = i.reply_to_message_id
    where i.is_new and exists (select from public.campaigns c where c.org_id = i.org_id and c.launched_at is not null)
    group by i.org_id, i.contact_id, q.campaign_id, m.whatsapp_account_id
$$;

-- An answer goes to the campaign whose message was quoted, else to the last the person got on this number. To a campaign that held the person
-- out it is what would have come anyway.
create or replace function private.apply_replies(p_limit integer)
returns integer
language plpgsql volatile
set search_path = ''
as $$
declare
    v_replies jsonb;
begin
    with taken as (
        delete from private.send_effects e
        where e.id in (select x.id from private.send_effects x where x.kind = 'replied' order by x.id limit p_limit for update skip locked) returning e.*
    )
    select jsonb_agg(to_jsonb(t)) into v_replies from taken t;
    if v_replies is null then
        return 0;
    end if;
    with wrote as materialized (
        select w.* from jsonb_to_recordset(v_replies) as w (
            org_id uuid, contact_id uuid, campaign_id uuid, whatsapp_account_id uuid, occurred_at timestamptz)
    ), answered as materialized (
        select distinct on (w.contact_id, w.campaign_id, w.whatsapp_account_id) r.campaign_id, r.contact_id, w.occurred_at as at
        from wrote w
        join public.campaign_recipients r on r.org_id = w.org_id and r.contact_id = w.contact_id
        join public.campaigns c on c.id = r.campaign_id and c.whatsapp_account_id = w.whatsapp_account_id
        where r.status in ('queued', 'sent', 'delivered', 'read')
            and (r.campaign_id = w.campaign_id
                -- Meta's times have whole seconds.
                or (w.campaign_id is null
                    and w.occurred_at between date_trunc('second', r.queued_at) and r.queued_at + make_interval(days => c.attribution_days)))
        order by w.contact_id, w.campaign_id, w.whatsapp_account_id, r.queued_at desc, r.message_id desc, w.occurred_at
    ), held_out as materialized (
        select r.campaign_id, r.contact_id, min(w.occurred_at) as at
        from wrote w
        join public.campaign_recipients r on r.org_id = w.org_id and r.contact_id = w.contact_id and r.status = 'held_out'
        join public.campaigns c on c.id = r.campaign_id
            and w.occurred_at between date_trunc('second', c.launched_at) and c.launched_at + make_interval(days => c.attribution_days)
        group by r.campaign_id, r.contact_id
    ), wanted as materialized (
        select y.campaign_id, y.contact_id, min(y.at) as at
        from (select a.* from answered a union all select h.* from held_out h) y group by y.campaign_id, y.contact_id
    ), held as materialized (
        select r.campaign_id, r.contact_id, w.at from public.campaign_recipients r
        join wanted w on w.campaign_id = r.campaign_id and w.contact_id = r.contact_id
        -- Whoever settles messages takes their rows in several goes: to wait for one while holding others could be for ever.
        order by r.campaign_id, r.contact_id for no key update of r skip locked
    ), marked as (
        update public.campaign_recipients r set replied_at = h.at
        from held h
        where r.campaign_id = h.campaign_id and r.contact_id = h.contact_id and (r.replied_at is null or r.replied_at > h.at)
    )
    -- The others a second later.
    insert into private.send_effects (org_id, kind, contact_id, campaign_id, whatsapp_account_id, occurred_at)
    select c.org_id, 'replied', w.contact_id, w.campaign_id, c.whatsapp_account_id, w.at
    from wanted w join public.campaigns c on c.id = w.campaign_id
    where not exists (select from held h where h.campaign_id = w.campaign_id and h.contact_id = w.contact_id)
        -- Merged meanwhile: the row is gone for good.
        and exists (select from public.campaign_recipients r where r.campaign_id = w.campaign_id and r.contact_id = w.contact_id);
    return jsonb_array_length(v_replies);
end
$$;
