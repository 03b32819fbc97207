-- Generated from sql/ by scripts/gen-supabase-migrations. Do not edit.

-- Campaigns, their ledger of recipients, its counters, and what limits sending (PRD §7; design §10).
-- Must stay true: one row a campaign and contact, made at launch and never twice; ready_at is set exactly while a recipient waits;
-- campaign_counts + campaign_deltas equal a recount of the ledger; a recipient has at most one message that may still reach the phone.

create table public.campaign_settings (
    org_id uuid primary key references public.organizations (id) on delete cascade,
    marketing_cap jsonb check (jsonb_typeof(marketing_cap) = 'object'),
    message_prices jsonb check (jsonb_typeof(message_prices) = 'object'),
    updated_at timestamptz not null default clock_timestamp()
);
comment on table public.campaign_settings is 'What an organisation sets for all its campaigns.';
comment on column public.campaign_settings.marketing_cap is '{"messages", "days"}: nobody gets more marketing from campaigns than that. Null: no cap.';
comment on column public.campaign_settings.message_prices is '{"currency", "default": {"marketing", "utility"}, "countries": {"MY": {…}}}: what Meta charges; for estimates.';

create table public.campaigns (
    id uuid primary key default octopush.uuid_v7(),
    org_id uuid not null references public.organizations (id) on delete cascade,
    name text not null check (length(name) between 1 and 100 and name = btrim(name)),
    description text check (length(description) <= 1000),
    status text not null default 'draft' check (status in ('draft', 'scheduled', 'sending', 'paused', 'completed', 'cancelled', 'failed')),
    status_reason text check (length(status_reason) <= 500),
    waiting_for text check (waiting_for in ('tier', 'quiet_hours', 'quality', 'account', 'test')),
    resumes_at timestamptz,
    whatsapp_account_id uuid,
    audience jsonb check (jsonb_typeof(audience) = 'object'),
    scheduled_at timestamptz,
    time_zone text,
    quiet_hours jsonb check (jsonb_typeof(quiet_hours) = 'object'),
    uncertain_policy text not null default 'miss' check (uncertain_policy in ('miss', 'repeat')),
    uncertain_hours integer not null default 24 check (uncertain_hours between 1 and 168),
    holdout_percent integer not null default 0 check (holdout_percent between 0 and 50),
    test jsonb check (jsonb_typeof(test) = 'object'),
    winner integer check (winner between 1 and 3),
    attribution_days integer not null default 7 check (attribution_days between 1 and 90),
    -- Known at launch: what all its messages cost, and whether any of them is marketing.
    planned_cost jsonb,
    is_marketing boolean not null default false,
    -- When the last message of the test share was handed over; the test period counts from here.
    tested_at timestamptz,
    launched_at timestamptz,
    started_at timestamptz,
    finished_at timestamptz,
    created_by uuid references auth.users (id) on delete set null,
    created_at timestamptz not null default clock_timestamp(),
    updated_at timestamptz not null default clock_timestamp(),
    unique (org_id, id),
    foreign key (org_id, whatsapp_account_id) references public.whatsapp_accounts (org_id, id) on delete set null (whatsapp_account_id)
);
comment on table public.campaigns is 'One message, or two or three variants of it, to many people at once. docs/state-machines.md has its life cycle.';
comment on column public.campaigns.audience is '{"segment_id"}, or a selection of contacts as in docs/contacts-and-segments.md.';
comment on column public.campaigns.waiting_for is 'Why a campaign that is sending hands nothing over at the moment; resumes_at says until when, if that is known.';
comment on column public.campaigns.status_reason is 'Why it failed or was paused by itself: a code of the error catalogue or Meta''s.';
comment on column public.campaigns.uncertain_policy is 'What becomes of a message of which nobody knows whether it was sent: miss = rather none, repeat = rather two.';
create index campaigns__list__idx on public.campaigns (org_id, created_at desc, id desc);
create index campaigns__account__idx on public.campaigns (org_id, whatsapp_account_id);
create index campaigns__created_by__idx on public.campaigns (created_by) where created_by is not null;
create index campaigns__due__idx on public.campaigns (scheduled_at) where status = 'scheduled';
create index campaigns__sending__idx on public.campaigns (whatsapp_account_id) where status in ('sending', 'paused');

create table public.campaign_variants (
    campaign_id uuid not null,
    position integer not null check (position between 1 and 3),
    org_id uuid not null,
    template_id uuid,
    variables jsonb not null default '{}' check (jsonb_typeof(variables) = 'object'),
    links jsonb not null default '{}' check (jsonb_typeof(links) = 'object'),
    -- Parts of the audience, or of its test share: 1 and 1 are halves.
    share integer not null default 1 check (share between 1 and 10000),
    primary key (campaign_id, position),
    foreign key (org_id, campaign_id) references public.campaigns (org_id, id) on delete cascade,
    foreign key (org_id, template_id) references public.templates (org_id, id) on delete set null (template_id)
);
comment on table public.campaign_variants is 'What a campaign says; more than one is an A/B test.';
create index campaign_variants__campaign__idx on public.campaign_variants (org_id, campaign_id);
create index campaign_variants__template__idx on public.campaign_variants (org_id, template_id);

create table public.campaign_recipients (
    -- No keys to campaigns and contacts: their checks would cost more than the row. A trigger follows deleted campaigns, merges and erasures
    -- bring their rows along.
    campaign_id uuid not null,
    contact_id uuid not null,
    org_id uuid not null references public.organizations (id) on delete cascade,
    position integer not null,
    variant smallint,
    status text not null check (status in ('excluded', 'held_out', 'waiting', 'queued', 'sent', 'delivered', 'read', 'failed')),
    is_uncertain boolean not null default false,
    exclusion_reason text,
    message_id uuid,
    attempts smallint not null default 0,
    ready_at timestamptz,
    error_code text,
    error_message text,
    queued_at timestamptz,
    sent_at timestamptz,
    delivered_at timestamptz,
    read_at timestamptz,
    replied_at timestamptz,
    clicked_at timestamptz,
    opportunity_at timestamptz,
    failed_at timestamptz,
    primary key (campaign_id, contact_id),
    constraint campaign_recipients__waiting__check check ((ready_at is not null) = (status = 'waiting')),
    constraint campaign_recipients__excluded__check check ((exclusion_reason is not null) = (status = 'excluded'))
);
comment on table public.campaign_recipients is 'The ledger: everybody in the audience as it was at launch, and what became of their message.';
comment on column public.campaign_recipients.variant is 'Null for those who wait for the winner of the test, and for those who get nothing.';
comment on column public.campaign_recipients.status is 'sent: Meta took it. queued: handed to the sender, or uncertain.';
comment on column public.campaign_recipients.attempts is 'Messages made for this person; one more only after Meta refused the last.';
create index campaign_recipients__contact__idx on public.campaign_recipients (org_id, contact_id);
-- Conditions on columns that stay as they are while statuses climb: those updates then leave every index alone.
create index campaign_recipients__ready__idx on public.campaign_recipients (
    campaign_id, (case when variant is null then 1 else 0 end), ready_at, position) where ready_at is not null;
create index campaign_recipients__excluded__idx on public.campaign_recipients (campaign_id, exclusion_reason) where exclusion_reason is not null;
alter table public.campaign_recipients set (fillfactor = 75, autovacuum_vacuum_scale_factor = 0.05, autovacuum_analyze_scale_factor = 0.05);

create table private.campaign_counts (
    campaign_id uuid not null references public.campaigns (id) on delete cascade,
    -- 0: without one.
    variant smallint not null,
    total bigint not null default 0,
    excluded bigint not null default 0,
    held_out bigint not null default 0,
    waiting bigint not null default 0,
    queued bigint not null default 0,
    sent bigint not null default 0,
    delivered bigint not null default 0,
    read bigint not null default 0,
    replied bigint not null default 0,
    clicked bigint not null default 0,
    opportunities bigint not null default 0,
    failed bigint not null default 0,
    uncertain bigint not null default 0,
    held_out_replied bigint not null default 0,
    held_out_opportunities bigint not null default 0,
    -- When this was last added to, and browsers were told.
    folded_at timestamptz,
    primary key (campaign_id, variant)
);
comment on table private.campaign_counts is 'The ledger counted, by variant; what happened since is in private.campaign_deltas.';
alter table private.campaign_counts set (fillfactor = 50);

create table private.campaign_deltas (
    id bigint generated always as identity primary key,
    -- No key, as in the ledger.
    campaign_id uuid not null,
    variant smallint not null,
    total integer not null,
    excluded integer not null,
    held_out integer not null,
    waiting integer not null,
    queued integer not null,
    sent integer not null,
    delivered integer not null,
    read integer not null,
    replied integer not null,
    clicked integer not null,
    opportunities integer not null,
    failed integer not null,
    uncertain integer not null,
    held_out_replied integer not null,
    held_out_opportunities integer not null
);
comment on table private.campaign_deltas is 'Changes of counts, one row a statement, campaign and variant; folded every second.';
create index campaign_deltas__campaign__idx on private.campaign_deltas (campaign_id);
alter table private.campaign_deltas set (autovacuum_vacuum_scale_factor = 0.0, autovacuum_vacuum_threshold = 2000);

create table private.campaign_reasons (
    id bigint generated always as identity primary key,
    campaign_id uuid not null,
    is_failure boolean not null,
    -- Of an exclusion, or the code of a failure.
    reason text not null,
    recipients integer not null
);
comment on table private.campaign_reasons is 'Recipients left out or failed, by reason: appended like the deltas, and folded.';
create index campaign_reasons__campaign__idx on private.campaign_reasons (campaign_id);
alter table private.campaign_reasons set (autovacuum_vacuum_scale_factor = 0.0, autovacuum_vacuum_threshold = 2000);

create table private.send_effects (
    id bigint generated always as identity primary key,
    org_id uuid not null,
    kind text not null check (kind in ('stopped_marketing', 'not_on_whatsapp', 'pause', 'replied')),
    contact_id uuid,
    campaign_id uuid,
    whatsapp_account_id uuid,
    code text,
    occurred_at timestamptz not null
);
comment on table private.send_effects is
    'What a refusal or an answer means for its contact, campaign or ledger row. Whoever learns of it holds messages already, or will, and must not wait for those; a worker applies these within a second.';

create table private.portfolio_users (
    portfolio text not null,
    contact_id uuid not null,
    -- The last message outside a window that Meta took.
    used_at timestamptz not null,
    primary key (portfolio, contact_id)
);
comment on table private.portfolio_users is 'Who was written to outside the 24-hour window, by business portfolio: what Meta''s messaging limit counts. Kept for a day.';
create index portfolio_users__used_at__idx on private.portfolio_users (used_at);
alter table private.portfolio_users set (fillfactor = 80, autovacuum_vacuum_scale_factor = 0.05);

create table private.portfolio_minutes (
    id bigint generated always as identity primary key,
    portfolio text not null,
    minute timestamptz not null,
    users integer not null
);
comment on table private.portfolio_minutes is 'portfolio_users counted by minute, appended and folded: the sum of a day is what the limit allows no more of.';
create index portfolio_minutes__portfolio__idx on private.portfolio_minutes (portfolio, minute);

alter table public.contacts add column not_on_whatsapp_at timestamptz, add column marketing_stopped_at timestamptz;
comment on column public.contacts.not_on_whatsapp_at is 'When Meta said that the number cannot be reached; null again once it writes or changes.';
comment on column public.contacts.marketing_stopped_at is 'When the person stopped our marketing in WhatsApp itself; null again once they resumed it.';

alter table public.whatsapp_accounts add column business_id text check (business_id ~ '^[0-9]{1,32}$');
comment on column public.whatsapp_accounts.business_id is 'The business portfolio at Meta: messaging limits are its, shared by all its numbers. Null: not known, then the WhatsApp account stands for it.';

create index outbox__uncertain__idx on private.outbox (whatsapp_account_id) where state = 'uncertain';

alter table public.campaign_settings enable row level security;
alter table public.campaigns enable row level security;
alter table public.campaign_variants enable row level security;
alter table public.campaign_recipients enable row level security;
alter table private.campaign_counts enable row level security;
alter table private.campaign_deltas enable row level security;
alter table private.campaign_reasons enable row level security;
alter table private.send_effects enable row level security;
alter table private.portfolio_users enable row level security;
alter table private.portfolio_minutes enable row level security;

insert into private.schema_migrations (version, name, hash) values (13, '0013_campaigns', '608ab1d901993c4a506771e4bffdaed10ed870967b4b5cc9c5b4cecfb279e919');
