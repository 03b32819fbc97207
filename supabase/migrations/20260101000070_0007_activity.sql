-- Generated from sql/ by scripts/gen-supabase-migrations. Do not edit.

-- What happened (the feed of PRD §4.3, the timelines of §5.7) and who is told (§17).
-- Must stay true: append-only; one notification row per recipient, so that each person's read mark is their own.

create table public.activity_log (
    id uuid primary key default octopush.uuid_v7(),
    org_id uuid not null references public.organizations (id) on delete cascade,
    kind text not null check (kind ~ '^[a-z]+(_[a-z]+)*\.[a-z]+(_[a-z]+)*$'),
    actor_id uuid references auth.users (id) on delete set null,
    contact_id uuid,
    conversation_id uuid,
    data jsonb not null default '{}',
    created_at timestamptz not null default clock_timestamp()
);
comment on table public.activity_log is 'What happened in an organisation, append-only, kept for a year.';
comment on column public.activity_log.kind is 'subject.event, for example conversation.assigned; docs/state-machines.md lists them.';
create index activity_log__org__idx on public.activity_log (org_id, created_at desc, id desc);
create index activity_log__contact__idx on public.activity_log (org_id, contact_id, created_at desc) where contact_id is not null;
create index activity_log__actor_id__idx on public.activity_log (actor_id) where actor_id is not null;
create index activity_log__created_at__idx on public.activity_log using brin (created_at);

create table public.notifications (
    id uuid primary key default octopush.uuid_v7(),
    org_id uuid not null references public.organizations (id) on delete cascade,
    user_id uuid not null references auth.users (id) on delete cascade,
    kind text not null,
    priority text not null default 'normal' check (priority in ('normal', 'high')),
    data jsonb not null default '{}',
    read_at timestamptz,
    created_at timestamptz not null default clock_timestamp()
);
comment on table public.notifications is 'What one person is told; each has a row and a read mark of their own.';
create index notifications__user__idx on public.notifications (user_id, org_id, created_at desc, id desc);
create index notifications__unread__idx on public.notifications (user_id, org_id) where read_at is null;
create index notifications__created_at__idx on public.notifications using brin (created_at);
create index notifications__org_id__idx on public.notifications (org_id);

alter table public.activity_log enable row level security;
alter table public.notifications enable row level security;

-- For subscribers of postgres_changes other than our own UI, which listens to broadcasts (design §14).
alter publication supabase_realtime add table public.conversations, public.messages, public.contacts, public.activity_log, public.notifications;

insert into private.schema_migrations (version, name, hash) values (7, '0007_activity', 'e1ab897e9c9ec333537252fc1c282ce544d5ffd1946e46fae5be8723ec7ed8c7');
