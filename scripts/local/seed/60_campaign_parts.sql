-- What the demo's campaigns are made of: the offer and how its review stands, the tag of an audience, a moment to send at.
-- Asked by the seed until the offer is reviewed; $1 the organisation, $2 the template's name.
select t.id::text as offer, t.status as offer_status, g.id::text as catering,
    -- Ten in the morning there, some days from now.
    (((now() at time zone o.time_zone)::date + 4 + time '10:00') at time zone o.time_zone)::text as later
from public.organizations o
left join public.templates t on t.org_id = o.id and t.name = $2 and t.deleted_at is null
left join public.tags g on g.org_id = o.id and g.name = 'Catering'
where o.id = $1::text::uuid
