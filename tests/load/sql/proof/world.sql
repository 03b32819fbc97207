-- Tags $2 and custom fields $3 of organisation $1, and its time zone $4, as the generator's world has them.
with tags as (
    insert into public.tags (id, org_id, name) select t, $1::uuid, 'Tag ' || nth from unnest($2::uuid[]) with ordinality as x (t, nth)
), fields as (
    insert into public.custom_field_definitions (org_id, key, label, type, options)
    select $1, f ->> 'key', f ->> 'label', f ->> 'type', array(select jsonb_array_elements_text(f -> 'options')) from jsonb_array_elements($3::jsonb) f
)
update public.organizations set time_zone = $4 where id = $1
