-- Generated from sql/ by scripts/gen-supabase-migrations. Do not edit.

-- Segments: saved sets of contacts, their members as maintained, and what keeps the members right (PRD §8; design §9).
-- Must stay true: segment_members is written under the organisation's segment lock only (private.lock_segments); once the queue
-- private.contact_changes is empty it equals a recomputation from the rules; member_count equals its rows.

create table public.segments (
    id uuid primary key default octopush.uuid_v7(),
    org_id uuid not null references public.organizations (id) on delete cascade,
    name text not null check (length(name) between 1 and 100 and name = btrim(name)),
    description text check (length(description) <= 1000),
    kind text not null check (kind in ('dynamic', 'static')),
    rules jsonb check (jsonb_typeof(rules) = 'object'),
    member_count integer not null default 0 check (member_count >= 0),
    evaluated_at timestamptz,
    created_by uuid references auth.users (id) on delete set null,
    created_at timestamptz not null default now(),
    updated_at timestamptz not null default now(),
    unique (org_id, id),
    constraint segments__kind_rules__check check ((kind = 'dynamic') = (rules is not null))
);
comment on table public.segments is 'A saved set of contacts: dynamic by rules, kept up to date by itself, or static, a list. At most 200 an organisation.';
comment on column public.segments.evaluated_at is 'When its members were last worked out as a whole; null while that is still to be done.';
comment on column public.segments.updated_at is 'The last edit by a person; members that come and go leave it alone.';
create unique index segments__name__idx on public.segments (org_id, lower(name));
create index segments__created_by__idx on public.segments (created_by) where created_by is not null;
-- member_count changes with every batch of changes: room on the page keeps those updates away from the indexes.
alter table public.segments set (fillfactor = 60);

create table public.segment_members (
    -- No keys to segments and contacts: they would cost more than the row itself, and lock every contact for every row written. A trigger
    -- follows deleted segments; a deleted contact leaves through the queue like after any other change.
    segment_id uuid not null,
    contact_id uuid not null,
    org_id uuid not null references public.organizations (id) on delete cascade,
    entered_at timestamptz not null,
    primary key (segment_id, contact_id)
);
comment on table public.segment_members is 'Who is in a segment now. Maintained within a second of every change; never written by hand.';
create index segment_members__contact__idx on public.segment_members (org_id, contact_id);
alter table public.segment_members set (autovacuum_vacuum_scale_factor = 0.05, autovacuum_analyze_scale_factor = 0.05);

create table public.segment_pins (
    segment_id uuid not null references public.segments (id) on delete cascade,
    contact_id uuid not null,
    org_id uuid not null,
    kind text not null check (kind in ('include', 'exclude')),
    created_by uuid references auth.users (id) on delete set null,
    created_at timestamptz not null default now(),
    primary key (segment_id, contact_id),
    foreign key (org_id, contact_id) references public.contacts (org_id, id) on delete cascade
);
comment on table public.segment_pins is 'Contacts that a person put into a segment or keeps out of it, whatever the rules say; the whole list of a static segment.';
create index segment_pins__contact__idx on public.segment_pins (org_id, contact_id);
create index segment_pins__created_by__idx on public.segment_pins (created_by) where created_by is not null;

create table private.segment_edges (
    org_id uuid not null references public.organizations (id) on delete cascade,
    segment_id uuid not null references public.segments (id) on delete cascade,
    -- Without cascade: what others use is not deleted.
    uses_id uuid not null references public.segments (id),
    primary key (segment_id, uses_id),
    check (segment_id <> uses_id)
);
comment on table private.segment_edges is 'Which segments the rules of a segment name. Without a circle.';
create index segment_edges__uses__idx on private.segment_edges (uses_id);
create index segment_edges__org__idx on private.segment_edges (org_id);

create table private.segment_programs (
    segment_id uuid primary key references public.segments (id) on delete cascade,
    org_id uuid not null references public.organizations (id) on delete cascade,
    predicate text not null,
    params text[] not null,
    -- [{"column", "hours"}]: members change that long after the column's time, with no write.
    rolling jsonb not null,
    -- Members change at the organisation's midnight.
    is_calendar boolean not null,
    -- Above those of all segments it uses: evaluated after them.
    level integer not null default 0,
    -- Why the rules could not be compiled any more; the predicate is then false.
    problem text,
    -- Waits to be worked out as a whole, and why; `created` tells nobody who entered.
    rebuild text check (rebuild in ('created', 'rebuild', 'time'))
);
comment on table private.segment_programs is 'The compiled rules of each dynamic segment.';
create index segment_programs__org__idx on private.segment_programs (org_id, level);
create index segment_programs__rebuild__idx on private.segment_programs (org_id) where rebuild is not null;

create table private.segment_clocks (
    org_id uuid primary key references public.organizations (id) on delete cascade,
    -- Boundaries of time up to here have been put into the queue.
    evaluated_until timestamptz not null,
    -- The latest time anybody was judged by; a clock that is behind it went backwards.
    judged_at timestamptz not null,
    local_date date not null,
    -- What the programs were compiled with.
    library text not null,
    has_horizons boolean not null,
    served_at timestamptz not null default '-infinity'
);
comment on table private.segment_clocks is 'How far the dynamic segments of an organisation are in time.';

create table private.segment_statements (
    org_id uuid not null references public.organizations (id) on delete cascade,
    level integer not null,
    -- In the order of the expression.
    segment_ids uuid[] not null,
    -- Static ones: nothing but pins puts anybody into them.
    list_ids uuid[] not null,
    -- An array of the predicates; null when there are none.
    expression text,
    params text[] not null,
    primary key (org_id, level)
);
comment on table private.segment_statements is
    'The programs of a level as one expression with one list of values. Made again when a program changes.';

create table private.contact_changes (
    id bigint generated always as identity primary key,
    org_id uuid not null,
    -- Null: what the programs are compiled with changed.
    contact_id uuid,
    is_time boolean not null default false
);
comment on table private.contact_changes is
    'Contacts whose place in segments may have changed. Appended in the transaction of the change, taken away in that of the members.';
create index contact_changes__org__idx on private.contact_changes (org_id, id);
alter table private.contact_changes set (autovacuum_vacuum_scale_factor = 0.01, autovacuum_vacuum_insert_scale_factor = 0.5);

create table private.segment_events (
    id bigint generated always as identity primary key,
    -- No keys, as in public.segment_members.
    org_id uuid not null,
    segment_id uuid not null,
    contact_id uuid not null,
    kind text not null check (kind in ('entered', 'left')),
    cause text not null check (cause in ('change', 'time', 'rebuild', 'pin')),
    created_at timestamptz not null
);
comment on table private.segment_events is 'Who entered and left which segment, for flows and timelines. Kept for 30 days.';
create index segment_events__segment__idx on private.segment_events (segment_id, id);
create index segment_events__created_at__idx on private.segment_events using brin (created_at);

alter table public.segments enable row level security;
alter table public.segment_members enable row level security;
alter table public.segment_pins enable row level security;
alter table private.segment_edges enable row level security;
alter table private.segment_programs enable row level security;
alter table private.segment_clocks enable row level security;
alter table private.segment_statements enable row level security;
alter table private.contact_changes enable row level security;
alter table private.segment_events enable row level security;

insert into private.schema_migrations (version, name, hash) values (9, '0009_segments', 'b822645a9c80a915446c562fa00f97b2ae5eb3fec3bac031d3c753e1f2628da8');
