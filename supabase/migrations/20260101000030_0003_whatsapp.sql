-- Generated from sql/ by scripts/gen-supabase-migrations. Do not edit.

-- WhatsApp numbers of an organisation, raw webhooks as Meta sent them, and account events nobody has a table for.
-- Must stay true: a webhook row is durable before it is read; an access token is only in Vault.

create table public.whatsapp_accounts (
    id uuid primary key default octopush.uuid_v7(),
    org_id uuid not null references public.organizations (id) on delete cascade,
    waba_id text not null check (waba_id ~ '^[0-9]{1,32}$'),
    phone_number_id text not null check (phone_number_id ~ '^[0-9]{1,32}$'),
    display_phone_number text,
    verified_name text,
    status text not null default 'connecting' check (status in ('connecting', 'connected', 'error', 'disconnected')),
    status_reason text,
    quality_rating text not null default 'UNKNOWN' check (quality_rating in ('GREEN', 'YELLOW', 'RED', 'UNKNOWN')),
    messaging_tier text,
    -- Meta's standard throughput is 80 messages a second for each number, in and out together (reference/whatsapp.md §9.1).
    messages_per_second integer not null default 80 check (messages_per_second between 1 and 5000),
    paused_until timestamptz,
    connected_at timestamptz,
    -- Proven once and not given up: a token that expires or is being replaced stops sending, not what customers write.
    is_receiving boolean not null generated always as (
        status = 'connected' or (connected_at is not null and status <> 'disconnected')
    ) stored,
    created_at timestamptz not null default now(),
    updated_at timestamptz not null default now(),
    unique (org_id, id)
);
comment on table public.whatsapp_accounts is 'A WhatsApp business number. status moves when a worker has checked the token with Meta.';
comment on column public.whatsapp_accounts.paused_until is 'Sending waits until then: Meta asked to slow down or pause this number.';
create index whatsapp_accounts__org_id__idx on public.whatsapp_accounts (org_id);
comment on column public.whatsapp_accounts.connected_at is 'When the number was first proven to be ours; null again once it is disconnected.';
create index whatsapp_accounts__phone_number_id__idx on public.whatsapp_accounts (phone_number_id);
-- One organisation speaks for a number at a time. Only proven owners count, so nobody can squat on a number they do not hold.
create unique index whatsapp_accounts__receiving_number__idx on public.whatsapp_accounts (phone_number_id) where is_receiving;

create table private.whatsapp_credentials (
    whatsapp_account_id uuid primary key references public.whatsapp_accounts (id) on delete cascade,
    secret_id uuid not null,
    -- What was typed with the token: nothing of an account is ours before Meta confirmed it.
    waba_id text not null,
    checked_at timestamptz,
    check_attempts integer not null default 0,
    check_after timestamptz not null default now()
);
comment on table private.whatsapp_credentials is 'Which Vault secret holds the access token, and when it is to be checked with Meta.';
create index whatsapp_credentials__check_after__idx on private.whatsapp_credentials (check_after) where checked_at is null;

create table private.webhook_events (
    id bigint generated always as identity primary key,
    body bytea not null,
    state text not null default 'received' check (state in ('received', 'applied', 'rejected')),
    problem text,
    attempts smallint not null default 0,
    received_at timestamptz not null default clock_timestamp(),
    applied_at timestamptz
);
comment on table private.webhook_events is 'Webhooks exactly as received. rejected = kept but not understood: see problem, and `octopush replay`.';
create index webhook_events__received__idx on private.webhook_events (id) where state = 'received';
create index webhook_events__rejected__idx on private.webhook_events (id) where state = 'rejected';
create index webhook_events__received_at__idx on private.webhook_events using brin (received_at);
-- Every row is updated once and deleted months later: leave room for a HOT update, vacuum early.
alter table private.webhook_events set (fillfactor = 85, autovacuum_vacuum_scale_factor = 0.05, autovacuum_vacuum_insert_scale_factor = 0.1);

create table public.whatsapp_events (
    id uuid primary key default octopush.uuid_v7(),
    org_id uuid not null references public.organizations (id) on delete cascade,
    whatsapp_account_id uuid,
    field text not null,
    payload jsonb not null,
    webhook_event_id bigint,
    -- SHA-256 of the webhook's body: a redelivery or a replay brings the same bytes, a new event others.
    body_hash bytea not null,
    created_at timestamptz not null default now(),
    foreign key (org_id, whatsapp_account_id) references public.whatsapp_accounts (org_id, id) on delete cascade
);
comment on table public.whatsapp_events is 'Webhook items about an organisation''s account or number that no other table holds, unknown ones included.';
create unique index whatsapp_events__once__idx on public.whatsapp_events (whatsapp_account_id, body_hash, field, md5(payload::text));
create index whatsapp_events__org__idx on public.whatsapp_events (org_id, created_at desc);
create index whatsapp_events__account__idx on public.whatsapp_events (org_id, whatsapp_account_id);

alter table public.whatsapp_accounts enable row level security;
alter table public.whatsapp_events enable row level security;
alter table private.whatsapp_credentials enable row level security;
alter table private.webhook_events enable row level security;

insert into private.schema_migrations (version, name, hash) values (3, '0003_whatsapp', '632c206481cb58552ef5896024a270f8a8af9394a6d3091f97df1f5a1e288919');
