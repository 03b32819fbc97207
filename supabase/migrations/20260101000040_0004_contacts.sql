-- Generated from sql/ by scripts/gen-supabase-migrations. Do not edit.

-- Contacts, their identities and tags (PRD §5.1, §5.5, §5.6; design §6).
-- Must stay true: phone, wa_id and bsuid each name at most one contact of an organisation, deleted ones included.

create table public.contacts (
    id uuid primary key default octopush.uuid_v7(),
    org_id uuid not null references public.organizations (id) on delete cascade,
    phone text check (phone ~ '^\+[1-9][0-9]{6,14}$'),
    wa_id text check (wa_id ~ '^[0-9]{5,20}$'),
    bsuid text check (length(bsuid) between 4 and 140),
    username text check (length(username) <= 100),
    full_name text check (length(full_name) <= 200),
    email text check (length(email) <= 320),
    avatar_url text check (length(avatar_url) <= 2000),
    company text check (length(company) <= 200),
    job_title text check (length(job_title) <= 200),
    address jsonb check (jsonb_typeof(address) = 'object'),
    notes text check (length(notes) <= 10000),
    source text not null default 'manual' check (source in ('manual', 'import', 'whatsapp', 'campaign', 'flow', 'ad')),
    opt_in_status text not null default 'pending' check (opt_in_status in ('opted_in', 'opted_out', 'pending')),
    opt_in_at timestamptz,
    opt_in_source text check (opt_in_source in ('form', 'whatsapp', 'import', 'manual')),
    last_message_at timestamptz,
    birthday date,
    lifecycle_stage text not null default 'lead' check (lifecycle_stage in ('lead', 'prospect', 'customer', 'churned')),
    custom_fields jsonb not null default '{}' check (jsonb_typeof(custom_fields) = 'object'),
    search_text text generated always as (
        lower(coalesce(full_name, '') || ' ' || coalesce(phone, '') || ' ' || coalesce(email, '') || ' '
            || coalesce(company, '') || ' ' || coalesce(username, ''))
    ) stored,
    deleted_at timestamptz,
    created_at timestamptz not null default now(),
    updated_at timestamptz not null default now(),
    unique (org_id, id),
    constraint contacts__identity__check check (phone is not null or wa_id is not null or bsuid is not null)
);
comment on table public.contacts is 'A person an organisation talks to. Known by phone (E.164), wa_id (digits) or BSUID; at least one.';
comment on column public.contacts.bsuid is 'Business-scoped user id: all Meta gives for senders who hide their number (since 2026).';
create unique index contacts__phone__idx on public.contacts (org_id, phone);
create unique index contacts__wa_id__idx on public.contacts (org_id, wa_id);
create unique index contacts__bsuid__idx on public.contacts (org_id, bsuid);
create index contacts__created__idx on public.contacts (org_id, created_at desc, id desc) where deleted_at is null;
create index contacts__name__idx on public.contacts (org_id, lower(full_name), id) where deleted_at is null;
create index contacts__search__idx on public.contacts using gin (search_text extensions.gin_trgm_ops);

create table public.tags (
    id uuid primary key default octopush.uuid_v7(),
    org_id uuid not null references public.organizations (id) on delete cascade,
    name text not null check (length(btrim(name)) between 1 and 50 and name = btrim(name)),
    color text not null default '#868e96' check (color ~ '^#[0-9a-fA-F]{6}$'),
    created_at timestamptz not null default now(),
    unique (org_id, id)
);
comment on table public.tags is 'Labels an organisation puts on its contacts; at most 50.';
create unique index tags__name__idx on public.tags (org_id, lower(name));

create table public.contact_tags (
    org_id uuid not null,
    contact_id uuid not null,
    tag_id uuid not null,
    created_at timestamptz not null default now(),
    primary key (org_id, contact_id, tag_id),
    foreign key (org_id, contact_id) references public.contacts (org_id, id) on delete cascade,
    foreign key (org_id, tag_id) references public.tags (org_id, id) on delete cascade
);
comment on table public.contact_tags is 'Which contact carries which tag.';
create index contact_tags__tag__idx on public.contact_tags (org_id, tag_id, contact_id);

alter table public.contacts enable row level security;
alter table public.tags enable row level security;
alter table public.contact_tags enable row level security;

insert into private.schema_migrations (version, name, hash) values (4, '0004_contacts', '032e49da532aad99038e974879b3efc3dedd30dbe65daa9ca26001169800ce61');
