-- Static segments $2 of organisation $1, with the contacts whose facts in $3 [{"id", "facts"}] name them.
with lists as (
    insert into public.segments (id, org_id, name, kind) select s, $1::uuid, 'List ' || nth, 'static' from unnest($2::uuid[]) with ordinality as x (s, nth)
    returning id
)
insert into public.segment_pins (segment_id, contact_id, org_id, kind)
select s::uuid, (x ->> 'id')::uuid, $1, 'include' from jsonb_array_elements($3::jsonb) x, jsonb_array_elements_text(x -> 'facts' -> 'segments') s
