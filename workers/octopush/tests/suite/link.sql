-- A tracked link of one recipient, as the feeding of a campaign leaves it: the campaign and the contact need not be there to be followed.
insert into private.links (token, org_id, campaign_id, contact_id, variant, button, destination)
values ($1, $2, $3, $4, 1, 0, 'https://shop.example.com/raya?from=whatsapp')
