-- Links of the first $2 recipients of the campaign $1, as feeding makes them.
with made as (
    select l.token from private.make_links((
        select jsonb_agg(jsonb_build_object('campaign_id', r.campaign_id, 'contact_id', r.contact_id, 'org_id', r.org_id,
            'variant', coalesce(r.variant, 1), 'button', 0, 'destination', 'https://shop.example.com/raya'))
        from public.campaign_recipients r where r.campaign_id = $1 and r.position <= $2::bigint)) l
)
select token from made
