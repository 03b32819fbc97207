-- The campaign $1 as it is a third through: 300,000 of its recipients read, 10,000 failed. The counters follow by their own triggers.
update public.campaign_recipients r set status = case when r.position <= 300000 then 'read' else 'failed' end,
    ready_at = null, queued_at = now(), sent_at = case when r.position <= 300000 then now() end,
    delivered_at = case when r.position <= 300000 then now() end, read_at = case when r.position <= 300000 then now() end,
    failed_at = case when r.position > 300000 then now() end,
    error_code = case when r.position > 300000 then (array['131026', '131049', '131000'])[1 + r.position % 3] end
where r.campaign_id = $1 and r.position <= 310000 and r.ready_at is not null
