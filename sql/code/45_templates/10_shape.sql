-- What a template is made of: the shape the extension's functions take, our own files beside Meta's parts, and what Meta's words mean for us.
-- Called by the other files of this folder and by campaigns.
-- Must stay true: a file belongs to the template's organisation (workers read it with a key that opens every organisation's folder).

create or replace function private.template_shape(p_template public.templates)
returns jsonb
language sql immutable
set search_path = ''
as $$
    select jsonb_build_object('name', p_template.name, 'language', p_template.language, 'category', p_template.category,
        'parameter_format', p_template.parameter_format, 'components', p_template.components, 'links', p_template.links)
$$;
comment on function private.template_shape(public.templates) is 'The jsonb that octopush.check_template, render_template and template_message take.';

-- null: a word Meta did not use when this was written.
create or replace function private.status_of_meta(p_meta_status text)
returns text
language sql immutable parallel safe
set search_path = ''
as $$
    select case
        -- Flagged ones will be disabled unless their quality improves; until then they may be sent.
        when p_meta_status in ('APPROVED', 'FLAGGED', 'REINSTATED', 'UNARCHIVED') then 'approved'
        when p_meta_status in ('PENDING', 'IN_APPEAL') then 'pending'
        when p_meta_status = 'REJECTED' then 'rejected'
        when p_meta_status in ('PAUSED', 'DISABLED', 'LIMIT_EXCEEDED', 'ARCHIVED', 'LOCKED', 'PENDING_DELETION') then 'disabled'
    end
$$;

-- null: a category we do not know; what holds stays.
create or replace function private.category_of_meta(p_category text)
returns text
language sql immutable parallel safe
set search_path = ''
as $$ select c from unnest(array['marketing', 'utility', 'authentication']) c where c = lower(p_category) $$;

-- "en-US" and "en_US" are both seen in webhooks (reference/whatsapp.md §5.1).
create or replace function private.template_language(p_language text)
returns text
language sql immutable parallel safe
set search_path = ''
as $$ select replace(p_language, '-', '_') $$;

-- The components, those of carousel cards included, with where they stand.
create or replace function private.all_components(p_components jsonb)
returns table (path text, component jsonb)
language sql immutable
set search_path = ''
as $$
    with own as (
        select '/components/' || (c.position - 1) as path, c.value as component
        from jsonb_array_elements(case when jsonb_typeof(p_components) = 'array' then p_components else '[]' end) with ordinality c (value, position)
        where jsonb_typeof(c.value) = 'object'
    )
    select o.path, o.component from own o
    union all
    select o.path || '/cards/' || (k.position - 1) || '/components/' || (c.position - 1), c.value
    from own o
    cross join jsonb_array_elements(case when jsonb_typeof(o.component -> 'cards') = 'array' then o.component -> 'cards' else '[]' end)
        with ordinality k (value, position)
    cross join jsonb_array_elements(case when jsonb_typeof(k.value -> 'components') = 'array' then k.value -> 'components' else '[]' end)
        with ordinality c (value, position)
    where jsonb_typeof(c.value) = 'object'
$$;

create or replace function private.template_files(p_components jsonb)
returns jsonb
language sql immutable
set search_path = ''
as $$
    select coalesce(jsonb_agg(distinct jsonb_build_object('path', c.component #>> '{media,path}', 'mime', c.component #>> '{media,mime}')), '[]')
    from private.all_components(p_components) c where c.component #>> '{media,path}' is not null
$$;
comment on function private.template_files(jsonb) is '[{path, mime}] of bucket templates.';

-- What Meta takes: no keys of ours, and its handle for each of our files.
create or replace function private.components_for_meta(p_components jsonb, p_handles jsonb)
returns jsonb
language sql immutable
set search_path = ''
as $$
    select coalesce(jsonb_agg(case
        when jsonb_typeof(c.value -> 'cards') = 'array' then jsonb_set(c.value, '{cards}', (
            select coalesce(jsonb_agg(k.value || jsonb_build_object('components', private.components_for_meta(k.value -> 'components', p_handles))
                order by k.position), '[]')
            from jsonb_array_elements(c.value -> 'cards') with ordinality k (value, position)))
        when p_handles ? (c.value #>> '{media,path}') then (c.value - 'media')
            || jsonb_build_object('example', coalesce(nullif(c.value -> 'example', 'null'), '{}')
                || jsonb_build_object('header_handle', jsonb_build_array(p_handles -> (c.value #>> '{media,path}'))))
        else c.value - 'media' end order by c.position), '[]')
    from jsonb_array_elements(p_components) with ordinality c (value, position)
$$;

-- What tells two versions apart. Samples do not: Meta returns files as links that change with every look.
create or replace function private.components_to_compare(p_components jsonb)
returns jsonb
language sql immutable
set search_path = ''
as $$
    select coalesce(jsonb_agg(case
        when jsonb_typeof(c.value -> 'cards') = 'array' then (c.value - '{cards,example,media}'::text[]) || jsonb_build_object('cards', (
            select coalesce(jsonb_agg(private.components_to_compare(k.value -> 'components') order by k.position), '[]')
            from jsonb_array_elements(c.value -> 'cards') with ordinality k (value, position)))
        when c.value ? 'buttons' then (c.value - '{buttons,example,media}'::text[]) || jsonb_build_object('buttons', (
            select coalesce(jsonb_agg(b.value - 'example' order by b.position), '[]')
            from jsonb_array_elements(c.value -> 'buttons') with ordinality b (value, position)))
        else c.value - '{example,media}'::text[] end order by c.position), '[]')
    from jsonb_array_elements(p_components) with ordinality c (value, position)
$$;

-- Meta's components with our files where they still belong: at a header of the same format in the same place.
create or replace function private.keep_files(p_theirs jsonb, p_ours jsonb)
returns jsonb
language sql immutable
set search_path = ''
as $$
    select coalesce(jsonb_agg(case
        when jsonb_typeof(c.value -> 'cards') = 'array' then jsonb_set(c.value, '{cards}', (
            select coalesce(jsonb_agg(case when jsonb_typeof(k.value -> 'components') = 'array' then
                    k.value || jsonb_build_object('components',
                        private.keep_files(k.value -> 'components', coalesce(p_ours #> array[(c.position - 1)::text, 'cards', (k.position - 1)::text, 'components'], '[]')))
                else k.value end order by k.position), '[]')
            from jsonb_array_elements(c.value -> 'cards') with ordinality k (value, position)))
        when o.value is not null then c.value || jsonb_build_object('media', o.value)
        else c.value end order by c.position), '[]')
    from jsonb_array_elements(p_theirs) with ordinality c (value, position)
    left join lateral (
        select x.value -> 'media' as value from jsonb_array_elements(p_ours) x
        where x.value ? 'media' and x.value ->> 'type' = c.value ->> 'type' and x.value ->> 'format' = c.value ->> 'format' limit 1
    ) o on true
$$;

-- Tracked buttons that still lead to us.
create or replace function private.keep_links(p_components jsonb, p_links jsonb)
returns jsonb
language sql immutable
set search_path = ''
as $$
    select coalesce(jsonb_object_agg(l.key, l.value), '{}')
    from jsonb_each(p_links) l
    where exists (
        select from jsonb_array_elements(p_components) c
        cross join jsonb_array_elements(case when jsonb_typeof(c.value -> 'buttons') = 'array' then c.value -> 'buttons' else '[]' end)
            with ordinality b (value, position)
        where (b.position - 1)::text = l.key and b.value ->> 'url' like '%/t/{{1}}')
$$;
