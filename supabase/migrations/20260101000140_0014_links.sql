-- Generated from sql/ by scripts/gen-supabase-migrations. Do not edit.

-- Tracked links of campaigns, who followed them, and the sales opportunities that came of campaigns (PRD §7.2; design §10).
-- Must stay true: a token is unguessable and says nothing by itself; its destination is looked up, never sent along; what a person who was
-- erased did stays as a count; an external id counts once in an organisation, whatever became of its opportunity.

create table private.links (
    token text collate "C" primary key check (length(token) = 22),
    -- No keys: a hundred thousand are made at once, contacts go by merge and erasure only (private.move_links, private.erase_links), and a
    -- campaign that has sent anything stays.
    org_id uuid not null,
    campaign_id uuid,
    contact_id uuid,
    message_id uuid,
    variant smallint not null,
    button smallint not null,
    destination text not null check (destination ~* '^https://' and length(destination) <= 2000),
    is_retired boolean not null default false,
    clicked_at timestamptz,
    created_at timestamptz not null default clock_timestamp()
);
comment on table private.links is 'What /t/{token} leads to: one token for each recipient and tracked button of a campaign.';
comment on column private.links.campaign_id is 'Null in a message that somebody sent from the inbox: each such message has tokens of its own.';
comment on column private.links.contact_id is 'Null once the person was erased: the link is still followed, and nothing is recorded.';
comment on column private.links.is_retired is 'A merge left two tokens of one button: this one is still followed and not handed out again.';
comment on column private.links.clicked_at is 'The first time a person, not a machine, followed it.';
create unique index links__recipient__idx on private.links (contact_id, campaign_id, button) where not is_retired;
create index links__retired__idx on private.links (contact_id) where is_retired;
create index links__clicked__idx on private.links (contact_id, clicked_at desc) where clicked_at is not null;

create table private.link_clicks (
    token text collate "C" not null,
    -- What the worker makes of address and browser; empty for the sum of those that are no longer told apart.
    visitor bytea not null check (length(visitor) <= 64),
    is_bot boolean not null,
    org_id uuid not null,
    campaign_id uuid,
    variant smallint not null,
    button smallint not null,
    clicks integer not null default 1 check (clicks > 0),
    first_at timestamptz not null,
    -- The last one that counted: another within ten minutes is the same.
    last_at timestamptz not null,
    primary key (token, visitor, is_bot)
);
comment on table private.link_clicks is 'Who followed a link how often: one row a visitor. After 90 days a link''s visitors become one row, its counts stay.';
create index link_clicks__campaign__idx on private.link_clicks (campaign_id) where campaign_id is not null;
create index link_clicks__last_at__idx on private.link_clicks (last_at) where visitor <> '';

create table public.opportunities (
    id uuid primary key default octopush.uuid_v7(),
    org_id uuid not null references public.organizations (id) on delete cascade,
    contact_id uuid not null,
    campaign_id uuid,
    held_out_campaign_id uuid,
    source text not null check (source in ('callback', 'agent', 'flow')),
    amount numeric check (amount >= 0 and amount < 1e12 and scale(amount) <= 4),
    currency text check (currency ~ '^[A-Z]{3}$'),
    external_id text check (length(external_id) between 1 and 200),
    note text check (length(note) between 1 and 1000),
    occurred_at timestamptz not null,
    created_by uuid references auth.users (id) on delete set null,
    created_at timestamptz not null default clock_timestamp(),
    constraint opportunities__amount__check check ((amount is null) = (currency is null)),
    foreign key (org_id, contact_id) references public.contacts (org_id, id) on delete cascade,
    foreign key (org_id, campaign_id) references public.campaigns (org_id, id) on delete set null (campaign_id),
    foreign key (org_id, held_out_campaign_id) references public.campaigns (org_id, id) on delete set null (held_out_campaign_id)
);
comment on table public.opportunities is 'Reservations, appointments and sales that came of what we sent: told by a signed callback, an agent or a flow.';
comment on column public.opportunities.campaign_id is 'The campaign it is attributed to: the one that was named, else the last one received within its attribution window.';
comment on column public.opportunities.held_out_campaign_id is
    'A later campaign the contact was held out of, which would have had it otherwise: what its lift is compared with.';
comment on column public.opportunities.occurred_at is 'When it happened; attribution goes by this time.';
create index opportunities__contact__idx on public.opportunities (org_id, contact_id, occurred_at desc);
create index opportunities__campaign__idx on public.opportunities (org_id, campaign_id, contact_id) where campaign_id is not null;
create index opportunities__held_out__idx on public.opportunities (org_id, held_out_campaign_id, contact_id) where held_out_campaign_id is not null;
create index opportunities__created_by__idx on public.opportunities (created_by) where created_by is not null;

-- What private.read_opportunity makes of the fields somebody gave: values, or the field that is wrong.
create type private.opportunity_fields as (
    problem text, amount numeric, currency text, external_id text, note text, campaign_id uuid, occurred_at timestamptz);

create table private.conversion_secrets (
    org_id uuid primary key references public.organizations (id) on delete cascade,
    secret_id uuid not null,
    rotated_at timestamptz not null default clock_timestamp()
);
comment on table private.conversion_secrets is 'Which Vault secret signs an organisation''s conversion callbacks.';

create table private.conversion_receipts (
    org_id uuid not null references public.organizations (id) on delete cascade,
    -- SHA-256 of the external id: it outlives opportunities that were deleted and people who were erased.
    external_hash bytea not null,
    received_at timestamptz not null default clock_timestamp(),
    primary key (org_id, external_hash)
);
comment on table private.conversion_receipts is 'External ids that were counted: the same one again is a replay.';

alter table private.links enable row level security;
alter table private.link_clicks enable row level security;
alter table public.opportunities enable row level security;
alter table private.conversion_secrets enable row level security;
alter table private.conversion_receipts enable row level security;

insert into private.schema_migrations (version, name, hash) values (14, '0014_links', '04ca7e5ee4c80e80da778e59e827b80e460261e828e230210df433e1132fbcb7');
