-- Generated from sql/ by scripts/gen-supabase-migrations. Do not edit.

-- WhatsApp templates (PRD §9), what Meta must be asked for them, and how often they were used.
-- Must stay true: a name and language exist once per WhatsApp account among those not deleted; a template has at most one piece of work open;
-- a used template's row stays for ever (deleted_at), so messages may name it without a key.

create table public.templates (
    id uuid primary key default octopush.uuid_v7(),
    org_id uuid not null references public.organizations (id) on delete cascade,
    waba_id text not null check (waba_id ~ '^[0-9]{1,32}$'),
    name text not null check (name ~ '^[a-z0-9_]+$' and length(name) <= 512),
    -- Not only codes we know: Meta adds languages.
    language text not null check (language ~ '^[A-Za-z]{2,3}(_[A-Za-z]{2,4})?$'),
    category text not null check (category in ('marketing', 'utility', 'authentication')),
    parameter_format text not null default 'positional' check (parameter_format in ('positional', 'named')),
    components jsonb not null default '[]' check (jsonb_typeof(components) = 'array'),
    links jsonb not null default '{}' check (jsonb_typeof(links) = 'object'),
    status text not null default 'draft' check (status in ('draft', 'pending', 'approved', 'rejected', 'disabled')),
    meta_status text,
    meta_status_at timestamptz,
    status_reason text,
    rejected_reason text,
    quality text not null default 'UNKNOWN' check (quality in ('GREEN', 'YELLOW', 'RED', 'UNKNOWN')),
    wa_template_id text,
    previous_category text,
    correct_category text,
    category_changes_at timestamptz,
    problem text,
    has_changes boolean not null default false,
    created_by uuid references auth.users (id) on delete set null,
    submitted_at timestamptz,
    reviewed_at timestamptz,
    synced_at timestamptz,
    sent_count bigint not null default 0,
    delivered_count bigint not null default 0,
    read_count bigint not null default 0,
    last_used_at timestamptz,
    created_at timestamptz not null default clock_timestamp(),
    updated_at timestamptz not null default clock_timestamp(),
    deleted_at timestamptz,
    unique (org_id, id)
);
comment on table public.templates is 'Message templates as Meta knows them, and drafts Meta has not seen. Only status approved may be sent.';
comment on column public.templates.components is 'As Meta takes and returns them; "media" beside a header is our own file in the bucket templates.';
comment on column public.templates.links is 'Tracked buttons: {"<button index>": "https://destination"}. At Meta such a button leads to our own /t/{{1}}.';
comment on column public.templates.meta_status is 'Meta''s own word, kept as it came; status is what we make of it.';
comment on column public.templates.meta_status_at is 'Meta''s time of that word: an older one that comes late changes nothing.';
comment on column public.templates.rejected_reason is 'Meta''s word for why, with its explanation in status_reason.';
comment on column public.templates.correct_category is 'What Meta will make or would make of the category; category itself is what holds now.';
comment on column public.templates.problem is 'Why what was asked of Meta last did not happen: a code of the error catalogue or Meta''s words.';
comment on column public.templates.has_changes is 'Reworked here after a rejection and not submitted yet: Meta''s list does not overwrite it.';
comment on column public.templates.sent_count is 'Messages Meta has taken; private.template_deltas holds what is not added yet.';
create unique index templates__name__idx on public.templates (org_id, waba_id, name, language) where deleted_at is null;
-- Deleted ones, too: Meta uses no id again, and a template that comes back is the row it was.
create unique index templates__wa_template_id__idx on public.templates (waba_id, wa_template_id, org_id) where wa_template_id is not null;
create index templates__created_at__idx on public.templates (org_id, created_at desc, id desc) where deleted_at is null;
create index templates__created_by__idx on public.templates (created_by) where created_by is not null;
-- Counted at every send: leave room for HOT updates.
alter table public.templates set (fillfactor = 80, autovacuum_vacuum_scale_factor = 0.05);
alter table public.templates enable row level security;

create table private.template_work (
    template_id uuid primary key references public.templates (id) on delete cascade,
    org_id uuid not null,
    action text not null check (action in ('submit', 'edit', 'delete')),
    -- What the template was before an edit: Meta refuses some, and then the old content still stands there.
    before jsonb,
    -- {"<path of our file>": "<handle Meta gave for it>"}; work on a template with files begins with uploading them.
    handles jsonb not null default '{}',
    attempt integer not null default 0,
    -- Pushed ahead by a claim: a worker that dies loses nothing but this time.
    run_after timestamptz not null,
    created_at timestamptz not null default clock_timestamp()
);
comment on table private.template_work is 'What Meta is to be asked for a template. A row leaves when Meta has answered for good.';
create index template_work__run_after__idx on private.template_work (run_after);
alter table private.template_work enable row level security;

create table private.template_edits (
    template_id uuid not null references public.templates (id) on delete cascade,
    org_id uuid not null,
    edited_at timestamptz not null,
    primary key (template_id, edited_at)
);
comment on table private.template_edits is 'Edits of approved templates: Meta allows one in 24 hours and ten in 30 days (reference/whatsapp.md §8.1).';
alter table private.template_edits enable row level security;

create table private.template_syncs (
    org_id uuid not null references public.organizations (id) on delete cascade,
    waba_id text not null,
    requested_at timestamptz,
    claimed_at timestamptz,
    -- A complete list was applied; what was asked for after it began is asked again.
    synced_at timestamptz,
    primary key (org_id, waba_id)
);
comment on table private.template_syncs is 'When the list of a WhatsApp account was last compared with ours.';
alter table private.template_syncs enable row level security;

-- Counts change with every status of every message: they are appended here and added up in bulk.
create table private.template_deltas (
    id bigint generated always as identity primary key,
    org_id uuid not null,
    template_id uuid not null,
    slot timestamptz not null,
    sent integer not null,
    delivered integer not null,
    read integer not null,
    last_used_at timestamptz
);
comment on table private.template_deltas is 'Changes of counts not yet added to private.template_counts and templates.sent_count.';
alter table private.template_deltas set (autovacuum_vacuum_scale_factor = 0.0, autovacuum_vacuum_threshold = 2000);
alter table private.template_deltas enable row level security;

create table private.template_counts (
    template_id uuid not null references public.templates (id) on delete cascade,
    -- Quarters of an hour: midnight of every time zone falls between two of them.
    slot timestamptz not null,
    org_id uuid not null,
    sent integer not null default 0,
    delivered integer not null default 0,
    read integer not null default 0,
    primary key (template_id, slot)
);
comment on table private.template_counts is 'Messages of a template by when they were made: how many Meta took, how many were delivered and read.';
alter table private.template_counts set (fillfactor = 80);
alter table private.template_counts enable row level security;

-- No keys: a template that was used is never deleted, and a key would lock its row at every send. Campaigns keep their own ledger of
-- messages, so only the others are looked for by template.
alter table public.messages add column template_id uuid, add column campaign_id uuid;
create index messages__template__idx on public.messages (template_id, created_at) where template_id is not null and campaign_id is null;

-- Ask for the template and for campaigns, too.
drop function if exists private.send_refusal(text, text, boolean, text, timestamptz, text, boolean, timestamptz);
drop function if exists private.may_send(uuid, text);

insert into private.schema_migrations (version, name, hash) values (12, '0012_templates', 'd01c498cac90f8d83ea9466a12f52453d160b97ceae4709d8ab1f9f9e78718c0');
