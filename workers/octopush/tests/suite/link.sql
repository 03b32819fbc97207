-- A tracked link of one recipient of a campaign that is over, as its feeding left it.
with campaign as (
    insert into public.campaigns (id, org_id, name, status) values ($3, $2, 'Raya sale', 'completed') returning id
)
insert into private.links (token, org_id, campaign_id, contact_id, variant, button, destination)
select $1, $2, campaign.id, $4, 1, 0, 'https://shop.example.com/raya?from=whatsapp' from campaign
