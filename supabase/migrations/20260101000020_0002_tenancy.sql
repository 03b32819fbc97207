-- Generated from sql/ by scripts/gen-supabase-migrations. Do not edit.

-- Organisations, people and their roles. Every other tenant table hangs off organizations.
-- Must stay true: authorisation is read from org_memberships, never from a token's claims.

create table public.organizations (
    id uuid primary key default octopush.uuid_v7(),
    name text not null check (length(btrim(name)) between 1 and 120),
    country text not null default 'MY' check (country ~ '^[A-Z]{2}$'),
    time_zone text not null default 'Asia/Kuala_Lumpur',
    created_at timestamptz not null default now(),
    updated_at timestamptz not null default now(),
    deleted_at timestamptz
);
comment on table public.organizations is 'A tenant. country is the default region of phone numbers (ISO 3166-1 alpha-2); time_zone an IANA name.';

create table public.profiles (
    user_id uuid primary key references auth.users (id) on delete cascade,
    full_name text not null default '' check (length(full_name) <= 120),
    email text not null,
    avatar_url text,
    created_at timestamptz not null default now(),
    updated_at timestamptz not null default now()
);
comment on table public.profiles is 'What colleagues see of a person. Made when they onboard or accept an invitation.';

create table public.org_memberships (
    org_id uuid not null references public.organizations (id) on delete cascade,
    user_id uuid not null references auth.users (id) on delete cascade,
    role text not null check (role in ('owner', 'admin', 'campaign_manager', 'agent', 'viewer')),
    created_at timestamptz not null default now(),
    updated_at timestamptz not null default now(),
    primary key (org_id, user_id),
    foreign key (user_id) references public.profiles (user_id) on delete cascade
);
comment on table public.org_memberships is 'Who belongs to an organisation, in which role. Changed by RPC only; an organisation always keeps an owner.';
create index org_memberships__user_id__idx on public.org_memberships (user_id);

create table public.org_invitations (
    id uuid primary key default octopush.uuid_v7(),
    org_id uuid not null references public.organizations (id) on delete cascade,
    email text not null check (email = lower(btrim(email)) and email like '%_@_%' and length(email) <= 320),
    role text not null check (role in ('admin', 'campaign_manager', 'agent', 'viewer')),
    token_hash bytea not null unique,
    invited_by uuid references auth.users (id) on delete set null,
    expires_at timestamptz not null,
    accepted_at timestamptz,
    revoked_at timestamptz,
    created_at timestamptz not null default now()
);
comment on table public.org_invitations is 'Open, accepted and revoked invitations; at most one open for an address.';
comment on column public.org_invitations.token_hash is 'SHA-256 of the token in the invitation link; the token itself is shown once and not kept.';
create unique index org_invitations__open__idx on public.org_invitations (org_id, email) where accepted_at is null and revoked_at is null;
create index org_invitations__org_id__idx on public.org_invitations (org_id, created_at desc);
create index org_invitations__invited_by__idx on public.org_invitations (invited_by);

alter table public.organizations enable row level security;
alter table public.profiles enable row level security;
alter table public.org_memberships enable row level security;
alter table public.org_invitations enable row level security;

insert into private.schema_migrations (version, name, hash) values (2, '0002_tenancy', '395b8d2c240109ca3efba3a9e110d81706f18f6218782c7d88d89476a1c9ff95');
