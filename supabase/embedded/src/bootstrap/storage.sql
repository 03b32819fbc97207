-- Storage: buckets, objects and their helper functions. Run as supabase_admin inside the bootstrap's transaction, after
-- roles.sql, extensions.sql and auth.sql; idempotent.

create schema if not exists storage;
alter schema storage owner to supabase_admin;
grant usage on schema storage to postgres, anon, authenticated, service_role, supabase_storage_admin;
grant create on schema storage to supabase_storage_admin;

do $$
begin
    if to_regtype('storage.buckettype') is null then
        create type storage.buckettype as enum ('STANDARD', 'ANALYTICS', 'VECTOR');
        alter type storage.buckettype owner to supabase_storage_admin;
    end if;
end
$$;

create table if not exists storage.buckets (
    id text not null primary key,
    name text not null,
    owner uuid,
    created_at timestamptz default now(),
    updated_at timestamptz default now(),
    public boolean default false,
    avif_autodetection boolean default false,
    file_size_limit bigint,
    allowed_mime_types text[],
    owner_id text,
    type storage.buckettype not null default 'STANDARD'
);
create unique index if not exists bname on storage.buckets (name);
comment on column storage.buckets.owner is 'Field is deprecated, use owner_id instead';

create table if not exists storage.objects (
    id uuid not null default gen_random_uuid() primary key,
    bucket_id text references storage.buckets (id),
    name text,
    owner uuid,
    created_at timestamptz default now(),
    updated_at timestamptz default now(),
    last_accessed_at timestamptz default now(),
    metadata jsonb,
    path_tokens text[] generated always as (string_to_array(name, '/')) stored,
    version text,
    owner_id text,
    user_metadata jsonb
);
create unique index if not exists bucketid_objname on storage.objects (bucket_id, name);
create index if not exists name_prefix_search on storage.objects (name text_pattern_ops);
create index if not exists idx_objects_bucket_id_name on storage.objects (bucket_id, name collate "C");
comment on column storage.objects.owner is 'Field is deprecated, use owner_id instead';

alter table storage.buckets owner to supabase_storage_admin;
alter table storage.objects owner to supabase_storage_admin;
alter table storage.buckets enable row level security;
alter table storage.objects enable row level security;
revoke all on storage.buckets, storage.objects from public;
grant all on storage.buckets, storage.objects to postgres;
grant select, insert, update, delete on storage.buckets, storage.objects to anon, authenticated, service_role;

-- The folders of an object's name, its last part, and what follows that part's last dot.
create or replace function storage.foldername(name text)
returns text[]
language sql
immutable
set search_path = ''
as $$
    select (string_to_array(name, '/'))[1 : cardinality(string_to_array(name, '/')) - 1]
$$;

create or replace function storage.filename(name text)
returns text
language sql
immutable
set search_path = ''
as $$
    select (string_to_array(name, '/'))[cardinality(string_to_array(name, '/'))]
$$;

create or replace function storage.extension(name text)
returns text
language sql
immutable
set search_path = ''
as $$
    select substring(storage.filename(name) from '[^.]*$')
$$;

-- What the Storage API is doing, for policies that tell uses apart.
create or replace function storage.operation()
returns text
language sql
stable
set search_path = ''
as $$
    select current_setting('storage.operation', true)
$$;

create or replace function storage.protect_delete()
returns trigger
language plpgsql
volatile
set search_path = ''
as $$
begin
    if coalesce(current_setting('storage.allow_delete_query', true), 'false') <> 'true' then
        raise exception 'Direct deletion from storage tables is not allowed. Use the Storage API instead.'
            using errcode = '42501', hint = 'Rows deleted here would leave their files behind.';
    end if;
    return null;
end
$$;

create or replace function storage.update_updated_at_column()
returns trigger
language plpgsql
volatile
set search_path = ''
as $$
begin
    new.updated_at := now();
    return new;
end
$$;

create or replace trigger protect_buckets_delete
    before delete on storage.buckets
    for each statement execute function storage.protect_delete();
create or replace trigger protect_objects_delete
    before delete on storage.objects
    for each statement execute function storage.protect_delete();
create or replace trigger update_objects_updated_at
    before update on storage.objects
    for each row execute function storage.update_updated_at_column();

-- One level of a bucket below `prefix` (empty, or ending in a slash): files, and folders without id. Only what the caller's
-- policies show, as the function runs with the caller's rights.
create or replace function storage.search(
    prefix text,
    bucketname text,
    limits integer default 100,
    levels integer default 1,
    offsets integer default 0,
    search text default '',
    sortcolumn text default 'name',
    sortorder text default 'asc'
)
returns table (
    name text,
    id uuid,
    updated_at timestamptz,
    created_at timestamptz,
    last_accessed_at timestamptz,
    metadata jsonb
)
language plpgsql
stable
set search_path = ''
as $$
declare
    sort_by constant text := case
        when sortcolumn in ('name', 'updated_at', 'created_at', 'last_accessed_at') then sortcolumn
        else 'name'
    end;
    direction constant text := case when lower(sortorder) = 'desc' then 'desc' else 'asc' end;
begin
    return query execute format(
        $query$
        with entries as (
            select
                o.path_tokens[$3] as entry,
                cardinality(o.path_tokens) > $3 as is_folder,
                o.id, o.updated_at, o.created_at, o.last_accessed_at, o.metadata
            from storage.objects as o
            where o.bucket_id = $2
              and starts_with(o.name, $1)
              and o.path_tokens[$3] ilike $4 || '%%'
        )
        (
            select e.entry, null::uuid, null::timestamptz, null::timestamptz, null::timestamptz, null::jsonb
            from entries as e
            where e.is_folder
            group by e.entry
            order by e.entry %2$s
        )
        union all
        (
            select e.entry, e.id, e.updated_at, e.created_at, e.last_accessed_at, e.metadata
            from entries as e
            where not e.is_folder
            order by %3$s %2$s, e.entry
        )
        limit $5 offset $6
        $query$,
        sort_by,
        direction,
        case sort_by when 'name' then 'e.entry' else format('e.%I', sort_by) end
    )
    using
        prefix,
        bucketname,
        levels,
        replace(replace(replace(search, '\', '\\'), '%', '\%'), '_', '\_'),
        limits,
        offsets;
end
$$;

revoke all on function
    storage.foldername(text),
    storage.filename(text),
    storage.extension(text),
    storage.operation(),
    storage.protect_delete(),
    storage.update_updated_at_column(),
    storage.search(text, text, integer, integer, integer, text, text, text)
from public;
grant execute on function
    storage.foldername(text),
    storage.filename(text),
    storage.extension(text),
    storage.operation(),
    storage.search(text, text, integer, integer, integer, text, text, text)
to postgres, anon, authenticated, service_role, supabase_storage_admin;
