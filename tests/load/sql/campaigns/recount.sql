-- Counters of the campaigns $1 that differ from a recount of the ledger.
select count(*)
from unnest($1::uuid[]) c (id)
left join private.campaign_stats s on s.campaign_id = c.id
cross join lateral (
    select count(*) as total, count(*) filter (where r.status = 'excluded') as excluded, count(*) filter (where r.status = 'waiting') as waiting,
        count(*) filter (where r.status = 'queued') as queued, count(*) filter (where r.status in ('sent', 'delivered', 'read')) as sent,
        count(*) filter (where r.status in ('delivered', 'read')) as delivered, count(*) filter (where r.status = 'read') as read,
        count(*) filter (where r.status = 'failed') as failed, count(*) filter (where r.is_uncertain) as uncertain
    from public.campaign_recipients r where r.campaign_id = c.id
) n
where (coalesce(s.total, 0), coalesce(s.excluded, 0), coalesce(s.waiting, 0), coalesce(s.queued, 0), coalesce(s.sent, 0), coalesce(s.delivered, 0),
        coalesce(s.read, 0), coalesce(s.failed, 0), coalesce(s.uncertain, 0))
    is distinct from (n.total, n.excluded, n.waiting, n.queued, n.sent, n.delivered, n.read, n.failed, n.uncertain)
