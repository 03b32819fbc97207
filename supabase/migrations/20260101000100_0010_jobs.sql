-- Generated from sql/ by scripts/gen-supabase-migrations. Do not edit.

-- Work that outlasts a request: imports, exports, bulk changes of many contacts, erasures (docs/contacts-and-segments.md).
-- Must stay true: a job has one holder at a time; whatever a step of a job changed is committed together with how far the job is.

create table public.jobs (
    id uuid primary key default octopush.uuid_v7(),
    org_id uuid not null references public.organizations (id) on delete cascade,
    kind text not null check (kind in ('import', 'export', 'bulk_change', 'erasure')),
    status text not null default 'queued' check (status in ('queued', 'running', 'waiting', 'done', 'failed', 'cancelled')),
    input jsonb not null default '{}' check (jsonb_typeof(input) = 'object'),
    result jsonb,
    problem text,
    done_count integer not null default 0 check (done_count >= 0),
    total_count integer check (total_count >= 0),
    created_by uuid references auth.users (id) on delete set null,
    created_at timestamptz not null default now(),
    started_at timestamptz,
    finished_at timestamptz,
    expires_at timestamptz not null default now() + interval '7 days',
    constraint jobs__finished__check check ((finished_at is not null) = (status in ('done', 'failed', 'cancelled')))
);
comment on table public.jobs is 'Imports, exports, bulk changes and erasures. waiting: an import whose columns a person still has to map.';
comment on column public.jobs.problem is 'Why a failed job failed, in words for people.';
comment on column public.jobs.total_count is 'Lines or contacts in all; an estimate while an import is still reading its file.';
create index jobs__org__idx on public.jobs (org_id, created_at desc, id desc);
create index jobs__open__idx on public.jobs (created_at) where status in ('queued', 'running', 'waiting');
create index jobs__created_by__idx on public.jobs (created_by) where created_by is not null;
create index jobs__expires_at__idx on public.jobs (expires_at);
alter table public.jobs enable row level security;

create table private.job_leases (
    job_id uuid primary key references public.jobs (id) on delete cascade,
    holder uuid not null,
    -- As in private.phone_leases: the holder's session keeps an advisory lock; when the process dies the lock goes, and with it the lease.
    lock_key integer not null,
    lease_until timestamptz not null
);

create table private.job_items (
    job_id uuid not null references public.jobs (id) on delete cascade,
    position integer not null,
    -- No key: an erased or merged contact is left out when its turn comes.
    contact_id uuid not null,
    primary key (job_id, position)
);
comment on table private.job_items is 'The contacts of an export or a bulk change as they were chosen, in order.';

create table private.import_files (
    job_id uuid primary key references public.jobs (id) on delete cascade,
    size bigint not null,
    -- The beginning of a CSV file, or the first rows of a sheet: what the preview is made from, whatever options are tried.
    head bytea,
    sheet_rows jsonb,
    sheet text,
    -- How the rows are read, fixed when the import starts.
    spec jsonb,
    -- The last line that is dealt with.
    line bigint not null default 0,
    is_read boolean not null default false,
    created integer not null default 0,
    updated integer not null default 0,
    skipped integer not null default 0,
    failed integer not null default 0,
    constraint import_files__source__check check (num_nonnulls(head, sheet_rows) = 1)
);
comment on table private.import_files is 'What an import knows of its file, and how far it is.';

create table private.import_rows (
    job_id uuid not null references public.jobs (id) on delete cascade,
    line bigint not null,
    cells text[] not null,
    outcome text not null check (outcome in ('failed')),
    reason text not null,
    primary key (job_id, line)
);
comment on table private.import_rows is 'Lines of a file that were refused, as they were, with the reason; the error file is made from these.';

-- One line of a file as octopush.read_import_row understood it. Empty cells are null and change nothing.
create type private.import_line as (
    line bigint,
    cells text[],
    problem text,
    phone text,
    full_name text,
    email text,
    company text,
    job_title text,
    notes text,
    birthday date,
    lifecycle_stage text,
    address jsonb,
    custom_fields jsonb,
    tags text[],
    -- Later lines with the same phone in the same batch, [{"line", "cells"}], already folded into this one where they may change it.
    also jsonb
);

alter table private.job_leases enable row level security;
alter table private.job_items enable row level security;
alter table private.import_files enable row level security;
alter table private.import_rows enable row level security;

insert into private.schema_migrations (version, name, hash) values (10, '0010_jobs', '8f96b507e406597eb542c837fc67c0b9412ea9f547fead0afb9f3199bfeef8d7');
